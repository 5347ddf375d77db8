import EventLoop
import Glibc
import Scoreboard
import StorageChannel

/// The rate limit of this host while Redis is away: a fixed window for each project that starts with its first event and
/// grants the project's limit divided by the number of hosts, at least one event.
///
/// The windows are in a file of the run directory that is mapped into memory, so that a restart of storage, however it
/// ended, begins none anew. After a restart of the host none of them means anything.
struct FallbackQuota: ~Copyable {
    /// The place of each number in an entry of four words.
    private enum Entry {
        static let words = 4
        static let project = 0
        /// Nanoseconds of the monotonic clock; an entry that was never used has ended.
        static let end = 1
        static let granted = 2
    }

    /// A project has its window among these few entries; when none is free the one that ends first is forgotten.
    private static let bucketEntries = 8
    private static let bucketBits: UInt64 = 11
    private static let size = bucketEntries << bucketBits
    /// "MSHRQUO" and the version; a file with anything else is begun anew.
    private static let magic: UInt64 = 0x4d53_4852_5155_4f01

    private let hosts: UInt32
    private let memory: SharedMemory

    /// Windows that end with this process.
    ///
    /// - Parameter hosts: those that share a project's limit.
    static func inMemory(hosts: Int) throws(SystemError) -> FallbackQuota {
        FallbackQuota(hosts, try SharedMemory.shared(words: size * Entry.words + 1))
    }

    /// Windows that outlive this process. The corresponding C functions are `open`, `ftruncate` and `mmap`.
    static func open(_ path: String, hosts: Int) throws(SystemError) -> FallbackQuota {
        let number = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw SystemError("open", path) }
        let file = Descriptor(adopting: number)
        let words = size * Entry.words + 1
        guard ftruncate(file.number, off_t(words * MemoryLayout<UInt64>.size)) == 0 else {
            throw SystemError("ftruncate", path)
        }
        return FallbackQuota(hosts, try SharedMemory.file(file.number, offset: 0, words: words))
    }

    private init(_ hosts: Int, _ memory: consuming SharedMemory) {
        self.hosts = UInt32(clamping: max(hosts, 1))
        let last = memory.count - 1
        if memory[last] != Self.magic {
            for word in 0..<last { memory[word] = 0 }
            memory[last] = Self.magic
        }
        self.memory = memory
    }

    /// Counts one event.
    ///
    /// - Returns: nil when it is granted, else the seconds until the window ends, rounded up.
    func take(_ quota: ProjectQuota, now: Int64) -> UInt32? {
        let limit = UInt64(max(quota.events / hosts, 1))
        let length = Int64(quota.seconds) * 1_000_000_000
        let project = UInt64(bitPattern: quota.project)
        let entry = entry(of: project)
        let left = Int64(bitPattern: memory[entry + Entry.end]) &- now
        guard memory[entry + Entry.project] == project, left > 0 else {
            memory[entry + Entry.project] = project
            memory[entry + Entry.end] = UInt64(bitPattern: now &+ length)
            memory[entry + Entry.granted] = 1
            return nil
        }
        // A window that is longer than the project's now is was begun under another limit.
        if left > length { memory[entry + Entry.end] = UInt64(bitPattern: now &+ length) }
        guard memory[entry + Entry.granted] < limit else {
            return UInt32(clamping: (min(left, length) + 999_999_999) / 1_000_000_000)
        }
        memory.add(1, at: entry + Entry.granted)
        return nil
    }

    /// The entry of a project: its own, or that of its bucket which ends first.
    private func entry(of project: UInt64) -> Int {
        // Fibonacci hashing: neighbouring numbers come to lie far apart.
        let bucket = Int((project &* 0x9e37_79b9_7f4a_7c15) >> (64 - Self.bucketBits))
        let first = bucket * Self.bucketEntries * Entry.words
        var best = first
        for entry in stride(from: first, to: first + Self.bucketEntries * Entry.words, by: Entry.words) {
            if memory[entry + Entry.project] == project { return entry }
            if Int64(bitPattern: memory[entry + Entry.end]) < Int64(bitPattern: memory[best + Entry.end]) {
                best = entry
            }
        }
        return best
    }
}
