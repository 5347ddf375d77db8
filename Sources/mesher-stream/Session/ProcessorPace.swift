internal import Glibc
internal import Scoreboard
internal import System

/// Keeps a session within its project's share of the processors, whatever it uses them for. It adds its usage to its
/// record from time to time; when the project's sessions together use too much, it pauses before it goes on.
final class ProcessorPace {
    /// Nanoseconds between two readings of the processor-time clock.
    private static let interval: Int64 = 1_000_000
    /// Bytes by which an incoming message grows between two such readings.
    private static let growth = 64 << 10
    /// Nanoseconds of processor time after which the usage of all sessions is read: so many, and more for each of the
    /// records that are read.
    private static let worthLooking: Int64 = 100_000
    private static let worthLookingForEach: Int64 = 100

    private let share = SessionShare(processors: sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    private let table: SessionTable
    private let record: Int
    private var lookedAt: Int64
    private var used = Clock.processor()
    private var unseen: Int64 = 0
    private var seenSize = 0
    /// The project of the session; 0 before it is known.
    var project: Int64 = 0
    /// No message is accepted before this time of the monotonic clock.
    private(set) var restsUntil: Int64 = .min

    init(_ table: SessionTable, record: Int, now: Int64) {
        self.table = table
        self.record = record
        lookedAt = now
    }

    /// Whether a message may be accepted now.
    ///
    /// - Parameter now: the moment itself and not the beginning of a turn, in which messages may have cost much.
    func allows(now: Int64) -> Bool {
        if now - lookedAt >= Self.interval { look(now) }
        return now >= restsUntil
    }

    /// The incoming message has grown to `size` bytes. Waits here, since the session serves nobody else, while the project
    /// uses too much: a thousand sessions must not each inflate a huge message before the first one has recorded its usage.
    func grew(to size: Int) {
        if size < seenSize { seenSize = 0 }
        guard size - seenSize >= Self.growth else { return }
        seenSize = size
        let now = Clock.monotonic()
        look(now)
        if restsUntil > now { Clock.sleep(nanoseconds: restsUntil - now) }
    }

    private func look(_ now: Int64) {
        lookedAt = now
        let time = Clock.processor()
        table.used(record, nanoseconds: time - used, now: now)
        unseen += time - used
        used = time
        guard unseen >= Self.worthLooking + Self.worthLookingForEach * Int64(table.recordCount) else { return }
        unseen = 0
        let rest = share.rest(of: project, table.recentUse(now: now))
        // Random, so that sessions that pause for the same reason don't all wake at once.
        restsUntil = now + (rest > 0 ? rest / 2 + Int64.random(in: 0...rest) : 0)
    }
}
