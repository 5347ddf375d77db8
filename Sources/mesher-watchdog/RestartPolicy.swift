/// How long to wait before a child that died is started again: not at all after a life that counts, and longer after each
/// further early death, so that a child that cannot live costs nothing.
struct RestartPolicy {
    /// A child that had become ready and lived so long died of something that happened, not of how it was started.
    /// Nanoseconds, as all times here.
    static let lifeThatCounts: Int64 = 1_000_000_000
    static let shortestPause: Int64 = 250_000_000
    static let longestPause: Int64 = 30_000_000_000
    /// For a child that had become ready: it can work, and is killed by what comes to it or by others. Were its pauses as
    /// long, something that kills a worker each second would soon leave a host without any.
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
