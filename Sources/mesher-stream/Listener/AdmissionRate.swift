/// Limits new connections per second: a token bucket that holds one second's worth.
struct AdmissionRate {
    private let perSecond: Int64
    /// In billionths of a connection, so each nanosecond adds `perSecond`.
    private var credit: Int64
    private var lastRefill: Int64

    private static let one: Int64 = 1_000_000_000

    /// - Parameter now: nanoseconds of the monotonic clock.
    init(perSecond: Int, now: Int64) {
        self.perSecond = Int64(perSecond)
        credit = Int64(perSecond) * Self.one
        lastRefill = now
    }

    /// Takes one connection off, unless there are too many.
    mutating func admit(now: Int64) -> Bool {
        // The bucket holds no more than one second's worth.
        let elapsed = min(max(now - lastRefill, 0), Self.one)
        credit = min(credit + elapsed * perSecond, perSecond * Self.one)
        lastRefill = now
        guard credit >= Self.one else { return false }
        credit -= Self.one
        return true
    }
}
