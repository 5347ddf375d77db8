internal import Glibc
internal import Scoreboard
internal import System

/// An estimate of the memory of all sessions. To ask the kernel for one takes it a tenth of a millisecond, so a few are asked
/// for each second, one after the other, and their average is taken for all.
struct SessionMemory {
    /// Sessions that are asked for in one turn, and records that are looked at for that.
    private static let askedAtOnce = 16
    private static let recordsAtOnce = 4_096
    /// Answers that make the average.
    private static let answers = 256

    private var next = 0
    private var latest: [Int] = []

    /// Asks for some of the sessions.
    ///
    /// - Parameters:
    ///   - records: how many there are, in use or not.
    ///   - process: of a record, nil when no session has it.
    ///   - memory: of a process in bytes, nil when it is gone.
    mutating func sample(records: Int, process: (Int) -> pid_t?, memory: (pid_t) -> Int?) {
        var asked = 0
        for _ in 0..<min(records, Self.recordsAtOnce) where asked < Self.askedAtOnce {
            next = next + 1 < records ? next + 1 : 0
            guard let pid = process(next) else { continue }
            asked += 1
            if let bytes = memory(pid) { latest.append(bytes) }
        }
        latest.removeFirst(max(latest.count - Self.answers, 0))
    }

    /// Bytes of all; nil when none could be asked for.
    ///
    /// - Parameter count: of the sessions that there are. Older answers than there are sessions are of others that have ended.
    func total(of count: Int) -> Int? {
        let latest = latest.suffix(max(count, 0))
        guard count > 0 else { return 0 }
        return latest.isEmpty ? nil : latest.reduce(0, +) / latest.count * count
    }

    /// What a process has to itself, and its share of what it has in common with others: the line `Pss` of
    /// /proc/PID/smaps_rollup, proc(5), in bytes.
    static func proportional(of pid: pid_t) -> Int? {
        let number = open("/proc/\(pid)/smaps_rollup", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = Descriptor(adopting: number)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(file.number, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        // Bounded so that sums cannot overflow.
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { min($0, 1 << 32) << 10 }
    }
}
