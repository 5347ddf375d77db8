/// How long to wait before a child that died is restarted: not at all if it lived long enough, and longer after each
/// early death, so that a child that cannot live costs nothing.
struct RestartPolicy {
    /// A child that was ready and lived this long did not die of how it was started. Nanoseconds, like all times here.
    static let lifeThatCounts: Int64 = 1_000_000_000
    static let shortestPause: Int64 = 250_000_000
    static let longestPause: Int64 = 30_000_000_000
    /// For a child that was ready: it works, and something else killed it. With the longest pause, something that kills
    /// a worker every second would soon leave the host without workers.
    static let longestPauseOnceReady: Int64 = 1_000_000_000

    private var earlyDeaths = 0

    /// The pause before the next start; 0 means at once.
    ///
    /// - Parameter jitter: from 0 to 1; shortens the pause by up to a quarter, so that children that died together don't
    ///   keep starting together.
    mutating func pause(afterLiving lived: Int64, wasReady: Bool, jitter: Double) -> Int64 {
        if wasReady && lived >= Self.lifeThatCounts {
            earlyDeaths = 0
            return 0
        }
        // Beyond seven doublings the longest pause is reached.
        let doubled = Self.shortestPause << Int64(min(earlyDeaths, 7))
        earlyDeaths += 1
        let pause = min(doubled, wasReady ? Self.longestPauseOnceReady : Self.longestPause)
        return pause - Int64(Double(pause) / 4 * min(max(jitter, 0), 1))
    }
}
