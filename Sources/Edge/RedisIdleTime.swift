/// How long an edge that connects to Redis only while it has events keeps its connection without one, in nanoseconds. Redis
/// has no more than `maxclients` of them, by default 10,000, and the sessions of a host may be as many.
enum RedisIdleTime {
    /// So many processes may have one each.
    private static let crowd = 1_000
    private static let usual: Int64 = 30_000_000_000
    private static let crowded: Int64 = 100_000_000

    /// - Parameter sharers: the processes of this host that connect only while they need it.
    static func among(sharers: Int) -> Int64 {
        sharers > crowd ? crowded : usual
    }
}
