import Glibc
import Scoreboard
import System

/// The windows of projects, in memory that may be a file's. It consists of levels, each twice as large as the one before. A
/// level is used once a project finds no room in those before it, so that the table grows without anything being moved.
///
/// Memory of a file is allocated before it is used: a file system that is full would end the process otherwise.
struct WindowTable: ~Copyable {
    /// The place of each number in an entry of four words.
    private enum Entry {
        static let words = 4
        static let project = 0
        /// Nanoseconds of the monotonic clock; an entry that was never used has ended.
        static let end = 1
        static let granted = 2
    }

    /// The words before the first entry.
    private enum Header {
        static let words = 4
        static let magic = 0
        static let levels = 1
        /// When another level may be tried, after there was no memory for it.
        static let growsAt = 2
    }

    /// A project has its window among these few entries of a level.
    private static let bucketEntries = 8
    private static let firstBucketBits = 11
    private static let mostLevels = 6
    /// Nanoseconds of the longest window that a project can have.
    private static let longest: Int64 = 86_400_000_000_000
    /// Nanoseconds after there was no memory.
    private static let retry: Int64 = 10_000_000_000
    /// "MSHRQUO" and the version; a file with anything else is begun anew.
    private static let magic: UInt64 = 0x4d53_4852_5155_4f02

    private let levels: Int
    private let memory: SharedMemory
    /// Nil when the memory is no file's.
    private let file: Descriptor?

    /// A table that ends with this process.
    init(levels: Int = mostLevels) throws(SystemError) {
        self.levels = levels
        memory = try SharedMemory.shared(words: Self.firstWord(of: levels))
        file = nil
        initialize()
    }

    /// A table in a file. The corresponding C functions are `open`, `ftruncate`, `posix_fallocate` and `mmap`.
    static func open(_ path: String) throws(SystemError) -> WindowTable {
        let table = try WindowTable(path)
        if table.memory[Header.magic] == magic { return table }
        // Not emptied: the release before may have it still.
        unlink(path)
        let new = try WindowTable(path)
        new.initialize()
        return new
    }

    private init(_ path: String) throws(SystemError) {
        let number = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw SystemError("open", path) }
        let file = Descriptor(adopting: number)
        let words = Self.firstWord(of: Self.mostLevels)
        guard ftruncate(number, off_t(words * MemoryLayout<UInt64>.size)) == 0 else {
            throw SystemError("ftruncate", path)
        }
        let code = Self.allocate(level: 0, of: number)
        guard code == 0 else { throw SystemError("posix_fallocate", path, code: code) }
        let memory = try SharedMemory.file(number, offset: 0, words: words)
        levels = Self.mostLevels
        self.memory = consume memory
        self.file = consume file
    }

    private func initialize() {
        memory[Header.levels] = 1
        memory[Header.magic] = Self.magic
    }

    /// Makes all of a level there, with the header when it is the first.
    private static func allocate(level: Int, of file: CInt) -> CInt {
        let start = level == 0 ? 0 : firstWord(of: level)
        let end = firstWord(of: level + 1)
        let size = MemoryLayout<UInt64>.size
        return posix_fallocate(file, off_t(start * size), off_t((end - start) * size))
    }

    private static func firstEntry(of level: Int) -> Int { (bucketEntries << firstBucketBits) * ((1 << level) - 1) }

    private static func firstWord(of level: Int) -> Int { Header.words + firstEntry(of: level) * Entry.words }

    /// How many levels are used.
    var usedLevels: Int { min(max(Int(clamping: memory[Header.levels]), 1), levels) }

    /// When a window ends, in nanoseconds of the monotonic clock.
    func end(of window: Int) -> Int64 { Int64(bitPattern: memory[word(window, Entry.end)]) }

    func setEnd(of window: Int, _ end: Int64) { memory[word(window, Entry.end)] = UInt64(bitPattern: end) }

    /// How many events a window has granted.
    func granted(in window: Int) -> UInt64 { memory[word(window, Entry.granted)] }

    func grant(in window: Int) { memory.add(1, at: word(window, Entry.granted)) }

    /// The project's window; nil when none is in force.
    func window(of project: UInt64, now: Int64) -> Int? {
        for level in 0..<usedLevels {
            let bucket = Self.bucket(of: project, level)
            for entry in bucket..<bucket + Self.bucketEntries
            where memory[word(entry, Entry.project)] == project && rest(of: entry, now) > 0 { return entry }
        }
        return nil
    }

    /// Begins a window with one event, where one has ended. When none has, and the table cannot grow, the one that ends first
    /// is forgotten.
    func begin(_ project: UInt64, now: Int64, end: Int64) {
        var place = Self.bucket(of: project, 0)
        for level in 0..<levels {
            guard level < usedLevels || grow(now: now) else { break }
            let bucket = Self.bucket(of: project, level)
            for entry in bucket..<bucket + Self.bucketEntries where rest(of: entry, now) < rest(of: place, now) {
                place = entry
            }
            if rest(of: place, now) == 0 { break }
        }
        memory[word(place, Entry.project)] = project
        memory[word(place, Entry.granted)] = 1
        setEnd(of: place, end)
    }

    /// Nanoseconds until a window ends; 0 for one that has ended, or was begun before the host was restarted.
    private func rest(of window: Int, _ now: Int64) -> Int64 {
        let (rest, isOverflow) = end(of: window).subtractingReportingOverflow(now)
        return isOverflow || rest > Self.longest ? 0 : max(rest, 0)
    }

    private func word(_ entry: Int, _ part: Int) -> Int { Header.words + entry * Entry.words + part }

    /// Uses one more level, unless there is none, or no memory for it.
    private func grow(now: Int64) -> Bool {
        let level = usedLevels
        guard now >= Int64(bitPattern: memory[Header.growsAt]) else { return false }
        switch file {
        case .some(let file):
            guard Self.allocate(level: level, of: file.number) == 0 else {
                memory[Header.growsAt] = UInt64(bitPattern: now &+ Self.retry)
                return false
            }
        case nil: break
        }
        memory[Header.levels] = UInt64(level + 1)
        return true
    }

    /// The first entry of the project's bucket. Neighbouring numbers, and those that share a bucket of one level, come to lie
    /// far apart.
    private static func bucket(of project: UInt64, _ level: Int) -> Int {
        var hash = (project ^ UInt64(level) << 56) &* 0x9e37_79b9_7f4a_7c15
        hash = (hash ^ hash >> 32) &* 0xbf58_476d_1ce4_e5b9
        let bucket = Int(hash >> UInt64(64 - firstBucketBits - level))
        return firstEntry(of: level) + bucket * bucketEntries
    }
}
