import Logging

/// Which edges are without Redis, and what is logged: one line when the first loses it, one for each other reason and
/// each hour while it is down, and one when all have had it back for a while. It does not matter how many processes
/// there are, or how often each finds and loses it.
struct RedisReport {
    /// Nanoseconds with Redis at every edge before it counts as back.
    static let calm: Int64 = 5_000_000_000
    /// How often edges that are gone are looked for, in nanoseconds.
    private static let interval: Int64 = 1_000_000_000

    private let logger: Logger
    private var without: Set<UInt64> = []
    private var reasons = ToldReasons()
    /// Edges that found that Redis may evict counters.
    private var evicted: Set<UInt64> = []
    private var policies = ToldReasons()
    /// When Redis counts as back; nil while it is down or was never lost.
    private var backAt: Int64?
    private var nextCheck: Int64 = .min

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Whether an edge is without Redis now.
    var isDegraded: Bool { !without.isEmpty }

    /// Whether Redis evicts counters when its memory is full.
    var isEvicting: Bool { !evicted.isEmpty }

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
        if reasons.tells(failure, now: now) { tell() }
    }

    private func tell() {
        logger.warning(
            "Redis is down: limits are counted by this host alone", metadata: ["reason": "\(reasons.latest)"])
    }

    /// An edge has found Redis's eviction policy.
    ///
    /// - Parameter policy: its `maxmemory-policy`; nil when it evicts nothing.
    mutating func note(eviction policy: String?, of edge: UInt64, now: Int64) {
        guard let policy else {
            evicted.remove(edge)
            return settleEviction()
        }
        evicted.insert(edge)
        if policies.tells(policy, now: now) { tellEviction() }
    }

    private func tellEviction() {
        logger.warning(
            "Redis may evict counters: when one is evicted, its project gets a whole window again",
            metadata: ["maxmemory-policy": "\(policies.latest)"])
    }

    private mutating func settleEviction() {
        guard evicted.isEmpty, !policies.isEmpty else { return }
        policies.end()
        logger.notice("Redis no longer evicts counters")
    }

    /// Time has passed, and edges may be gone.
    mutating func elapse(now: Int64, _ edges: borrowing EdgeTable) {
        guard !reasons.isEmpty || !policies.isEmpty else { return }
        if nextCheck <= now {
            nextCheck = now + Self.interval
            without = without.filter { edges[$0] != nil }
            settle(now: now)
            // An edge that is gone no longer counts: its successor will report.
            evicted = evicted.filter { edges[$0] != nil }
        }
        if isDegraded, reasons.tellsAgain(now: now) { tell() }
        if isEvicting, policies.tellsAgain(now: now) { tellEviction() }
        guard let backAt, backAt <= now else { return }
        self.backAt = nil
        reasons.end()
        logger.notice("Redis is back: limits are counted there again")
    }

    private mutating func settle(now: Int64) {
        if !reasons.isEmpty, without.isEmpty, backAt == nil { backAt = now + Self.calm }
    }
}
