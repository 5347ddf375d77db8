internal import StorageChannel

/// What is exchanged with storage besides keys and events.
struct StorageExchange {
    var isConnected = false
    /// Whether storage has said that it refuses every event on purpose.
    var isDraining = false
    /// The version of the frames that it sends.
    var version = Frame.version
    /// Why Redis does not answer, as storage was told; nil while it does.
    private(set) var redisFailure: String?
    /// Its eviction policy, if it evicts counters.
    private(set) var redisEviction: String?
    /// Readiness checks that storage has not answered, with the time at which the answer is no.
    private var probes: [(submission: Submission, deadline: Int64)] = []

    /// - Returns: whether that is news.
    mutating func noteRedis(failure: String?, eviction: String?) -> Bool {
        guard failure != redisFailure || eviction != redisEviction else { return false }
        redisFailure = failure
        redisEviction = eviction
        return true
    }

    // MARK: Readiness

    /// When the first readiness check is given up.
    var nextDeadline: Int64? { probes.first?.deadline }

    mutating func ask(for submission: Submission, until deadline: Int64) {
        probes.append((submission, deadline))
    }

    /// Storage has answered: the readiness check with this serial, unless it was given up.
    mutating func answered(_ serial: UInt64) -> Submission? {
        guard let place = probes.firstIndex(where: { $0.submission.serial == serial }) else { return nil }
        return probes.remove(at: place).submission
    }

    /// The next readiness check whose time is over.
    mutating func nextOverdue(at now: Int64) -> Submission? {
        guard let first = probes.first, first.deadline <= now else { return nil }
        return probes.removeFirst().submission
    }
}
