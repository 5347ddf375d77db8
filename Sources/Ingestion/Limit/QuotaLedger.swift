internal import StorageChannel

/// The submissions that wait for a grant, with one call per project and turn, and the projects known to be exhausted.
struct QuotaLedger: ~Copyable {
    /// A project's submissions of this turn, in the order of their arrival, each with the number of its events.
    struct Gathering {
        let quota: ProjectQuota
        var wanted: UInt32
        var requests: [(submission: Submission, events: Int)]
    }

    /// Maximum number of exhausted projects that are remembered; for others Redis is asked again.
    static let exhaustedLimit = 100_000

    private var gathering: [Int64: Gathering] = [:]
    private var counting: [UInt64: Gathering] = [:]
    private var exhaustedUntil: [Int64: Int64] = [:]
    private var lastCall: UInt64 = 0

    mutating func gather(_ submission: Submission, _ quota: ProjectQuota) {
        let events = submission.eventCount
        gathering[quota.project, default: Gathering(quota: quota, wanted: 0, requests: [])].wanted +=
            UInt32(truncatingIfNeeded: events)
        gathering[quota.project]?.requests.append((submission, events))
    }

    /// Ends a turn: the calls that are to be made now.
    mutating func callGathered() -> [LimitScript.Call] {
        if gathering.isEmpty { return [] }
        var calls: [LimitScript.Call] = []
        for (project, entry) in gathering {
            lastCall += 1
            counting[lastCall] = entry
            calls.append(
                LimitScript.Call(
                    number: lastCall, project: project, wanted: entry.wanted, limit: entry.quota.events,
                    window: entry.quota.seconds))
        }
        gathering.removeAll(keepingCapacity: true)
        return calls
    }

    /// Whoever waited for a call; nil when the call is not known.
    mutating func settle(_ call: UInt64) -> Gathering? {
        counting.removeValue(forKey: call)
    }

    /// Remembers that a project's window grants nothing more.
    ///
    /// - Parameter until: when the window ends, in nanoseconds of the monotonic clock.
    mutating func exhaust(_ project: Int64, until: Int64) {
        if exhaustedUntil.count >= Self.exhaustedLimit { exhaustedUntil.removeAll(keepingCapacity: true) }
        exhaustedUntil[project] = until
    }

    /// Nanoseconds until an exhausted project's window ends; nil when it is not known to be exhausted.
    mutating func exhaustion(of project: Int64, now: Int64) -> Int64? {
        guard let until = exhaustedUntil[project] else { return nil }
        if until > now { return until - now }
        exhaustedUntil[project] = nil
        return nil
    }

    /// Forgets what is remembered of a project, because its limit changed.
    mutating func forget(_ project: Int64) {
        exhaustedUntil[project] = nil
    }
}
