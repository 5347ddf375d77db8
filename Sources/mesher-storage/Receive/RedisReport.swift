import Logging

/// Which edges are without Redis, and what the operator is told of it: one line when the first loses it, one for each other
/// reason and each hour while it is away, and one when all have had it again for a while, however many processes there are
/// and however often each finds and loses it.
struct RedisReport {
    /// Nanoseconds that no edge must be without Redis before it counts as back.
    static let calm: Int64 = 5_000_000_000
    /// How often edges that are gone are looked for, in nanoseconds.
    private static let interval: Int64 = 1_000_000_000
    /// How often it is said again that Redis is away, in nanoseconds, and how many reasons are told one by one.
    static let reminder: Int64 = 3_600_000_000_000
    private static let reasonLimit = 10

    private let logger: Logger
    private var without: Set<UInt64> = []
    private var isReported = false
    /// The reasons that were told since Redis was last well; the latest of all.
    private var told: Set<String> = []
    private var latest = ""
    private var remindAt: Int64 = .max
    /// When Redis counts as back; nil while it is away or was never lost.
    private var backAt: Int64?
    private var nextCheck: Int64 = .min

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Whether an edge is without Redis now.
    var isDegraded: Bool { !without.isEmpty }

    /// An edge has lost Redis, or has it again.
    ///
    /// - Parameter failure: why Redis does not answer; nil when it does.
    mutating func note(_ failure: String?, of edge: UInt64, now: Int64) {
        guard let failure else {
            without.remove(edge)
            return settle(now: now)
        }
        without.insert(edge)
        backAt = nil
        latest = failure
        guard told.count < Self.reasonLimit, told.insert(failure).inserted else { return }
        tell(now: now)
    }

    private mutating func tell(now: Int64) {
        isReported = true
        remindAt = now + Self.reminder
        logger.warning("Redis is away: limits are counted by this host alone", metadata: ["reason": "\(latest)"])
    }

    /// Time has passed, and edges may be gone.
    mutating func elapse(now: Int64, _ edges: borrowing EdgeTable) {
        guard isReported else { return }
        if nextCheck <= now {
            nextCheck = now + Self.interval
            without = without.filter { edges[$0] != nil }
            settle(now: now)
        }
        if remindAt <= now, isDegraded { tell(now: now) }
        guard let backAt, backAt <= now else { return }
        self.backAt = nil
        isReported = false
        told = []
        logger.notice("Redis is back: limits are counted there again")
    }

    private mutating func settle(now: Int64) {
        if isReported, without.isEmpty, backAt == nil { backAt = now + Self.calm }
    }
}
