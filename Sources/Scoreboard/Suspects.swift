/// A request that a process was handling when it died, or when it was killed for making no progress.
package struct Suspect: Equatable, Sendable {
    package let request: UInt128
    package let body: BodyMark
    /// The processes that have died of it.
    package let deaths: Int
    /// When the last of them died, in microseconds since 1970.
    package let diedAt: Int64
    /// The slot of that process, and when it began the request. Together they identify a death.
    let slot: Int
    let since: Int64

    package init(
        request: UInt128, body: BodyMark, deaths: Int, diedAt: Int64 = 0, slot: Int = 0, since: Int64 = 0
    ) {
        self.request = request
        self.body = body
        self.deaths = deaths
        self.diedAt = diedAt
        self.slot = slot
        self.since = since
    }

    /// Whether it is refused from now on.
    package var isPoison: Bool { deaths >= Suspects.deadlyCount }
}

/// What an edge knows of requests that may kill it.
package struct Suspects: Equatable, Sendable {
    /// A request that has killed this many processes is refused.
    package static let deadlyCount = 2

    package enum Verdict: Equatable, Sendable {
        case innocent
        /// It may be tried, with no other in flight.
        case suspect
        case poison
    }

    /// What the watchdog has recorded.
    package var dead: [Suspect] = []
    /// What other processes are handling, or were when they died: nginx gives a request to another process before the
    /// watchdog has heard of a death.
    package var elsewhere: [UInt128] = []

    package init() {}

    package var isEmpty: Bool { dead.isEmpty && elsewhere.isEmpty }

    /// What is to be done with a request.
    ///
    /// - Parameters:
    ///   - body: of which it is known whose it is and how long.
    ///   - hash: computes its hash; asked only when the body can be one that is known.
    /// - Returns: the verdict, and the body's mark with the hash if that is needed or was.
    package func verdict(
        on request: UInt128, _ body: BodyMark, hash: () -> UInt64
    ) -> (verdict: Verdict, body: BodyMark) {
        var deaths = elsewhere.count { $0 == request }
        var isKnownSize = false
        for suspect in dead {
            if suspect.request == request { deaths += suspect.deaths }
            let hasHash = suspect.body.hash != 0
            if hasHash && suspect.body.size == body.size && suspect.body.project == body.project { isKnownSize = true }
        }
        guard deaths > 0 || isKnownSize else { return (.innocent, body) }
        let marked = BodyMark(project: body.project, size: body.size, hash: hash())
        for suspect in dead where suspect.body == marked { deaths = max(deaths, suspect.deaths) }
        return (deaths == 0 ? .innocent : deaths < Self.deadlyCount ? .suspect : .poison, marked)
    }
}
