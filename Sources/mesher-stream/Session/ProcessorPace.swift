internal import EventLoop
internal import Glibc
internal import Scoreboard

/// Keeps a session within its project's share of the processors, whatever it uses them for. It adds its usage to its
/// record from time to time; when the project's sessions together use too much, it pauses before its next message.
struct ProcessorPace {
    /// Nanoseconds between two readings of the processor-time clock.
    private static let interval: Int64 = 10_000_000
    /// Nanoseconds of processor time after which the usage of all sessions is read.
    private static let worthLooking: Int64 = 2_000_000

    private let share = SessionShare(processors: sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    private var lookedAt: Int64
    private var used: Int64 = 0
    private var unseen: Int64 = 0
    /// No message is accepted before this time of the monotonic clock.
    private(set) var restsUntil: Int64 = .min

    init(now: Int64) {
        lookedAt = now
    }

    /// Whether a message may be accepted now.
    ///
    /// - Parameter now: the moment itself and not the beginning of a turn, in which messages may have cost much.
    mutating func allows(_ log: SessionLog, of project: Int64, now: Int64) -> Bool {
        if now - lookedAt >= Self.interval { look(log, project, now) }
        return now >= restsUntil
    }

    private mutating func look(_ log: SessionLog, _ project: Int64, _ now: Int64) {
        lookedAt = now
        let time = Clock.processor()
        log.table.used(log.record, nanoseconds: time - used, now: now)
        unseen += time - used
        used = time
        guard unseen >= Self.worthLooking else { return }
        unseen = 0
        restsUntil = now + share.rest(of: project, log.table.recentUse(now: now))
    }
}
