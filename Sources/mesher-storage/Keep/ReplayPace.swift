/// When the next part of the spool may be delivered: live events go before, and get three quarters of PostgreSQL's time.
struct ReplayPace {
    /// Events that are delivered together: as many as a commit under load has, since live events wait for a processor and
    /// for PostgreSQL's log as long as one part takes.
    static let events = 64
    /// How many times as long as a part took passes before the next one.
    static let pause: Int64 = 3
    /// Nanoseconds before something that could not be delivered is tried again; doubled at each further failure.
    static let firstPause: Int64 = 250_000_000
    static let longestPause: Int64 = 5_000_000_000

    /// Nanoseconds of the monotonic clock.
    private(set) var next: Int64 = .min
    /// How often in a row the same part could not be delivered.
    private(set) var failures = 0
    private var beganAt: Int64 = 0

    mutating func began(now: Int64) {
        beganAt = now
    }

    /// A part was delivered: the next one waits for others.
    mutating func delivered(now: Int64) {
        failures = 0
        next = now + Self.pause * max(now - beganAt, 0)
    }

    /// A part could not be delivered, and stays the next one.
    mutating func failed(now: Int64) {
        next = now + min(Self.firstPause << min(failures, 16), Self.longestPause)
        failures += 1
    }
}
