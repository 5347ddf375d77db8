import Schema

/// When the next part of the spool may be delivered, and how large it is. Live events go first, and get three quarters
/// of PostgreSQL's time. A part that costs sessions is delivered event by event.
struct ReplayPace {
    /// Events that are delivered together: as many as a commit under load has, since live events wait for a processor and
    /// for PostgreSQL's log as long as one part takes.
    static let events = 64
    /// The pause after a part, as a multiple of its duration.
    static let pause: Int64 = 3
    /// Nanoseconds before a failed delivery is retried; doubled at each further failure.
    static let firstPause: Int64 = 250_000_000
    static let longestPause: Int64 = 5_000_000_000
    /// How many sessions a part, and then each of its events, may cost. A session is lost by a statement that
    /// PostgreSQL does not answer in time, or that ends the connection.
    static let patience = 2

    /// Nanoseconds of the monotonic clock.
    private(set) var next: Int64 = .min
    /// How often in a row the same part could not be delivered.
    private(set) var failures = 0
    private var beganAt: Int64 = 0
    /// How many sessions the same part has cost.
    private var losses = 0
    /// Events that are yet to be delivered one by one.
    private var singles = 0

    /// The most events of the next part.
    var size: Int { singles > 0 ? 1 : Self.events }

    /// What the event that is the next part is suspected of; nil for a part that is not suspected.
    var suspicion: CommitPlan.Suspicion? {
        if singles == 0 { return nil }
        return losses >= Self.patience ? .refused : .tried
    }

    mutating func began(now: Int64) {
        beganAt = now
    }

    /// A part was delivered: the next one lets live events go first.
    mutating func delivered(_ events: Int, now: Int64) {
        failures = 0
        losses = 0
        singles = max(singles - max(events, 1), 0)
        next = now + Self.pause * max(now - beganAt, 0)
    }

    /// A part could not be delivered, and stays the next one.
    ///
    /// - Parameter events: how many it has, if the session was lost over it.
    mutating func failed(now: Int64, losingSessionOver events: Int? = nil) {
        next = now + min(Self.firstPause << min(failures, 16), Self.longestPause)
        failures += 1
        guard let events else { return }
        losses += 1
        guard singles == 0, losses >= Self.patience else { return }
        singles = events
        losses = 0
    }
}
