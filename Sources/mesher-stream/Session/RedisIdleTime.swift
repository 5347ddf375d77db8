/// How long a session keeps its connection to Redis without an event, in nanoseconds. Redis has no more than `maxclients` of
/// them, by default 10,000, and the sessions of a host may be as many.
enum RedisIdleTime {
    /// So many sessions may have one each.
    private static let crowd = 1_000
    private static let usual: Int64 = 30_000_000_000
    private static let crowded: Int64 = 100_000_000

    /// - Parameter sessions: those of this host.
    static func among(sessions: Int) -> Int64 {
        sessions > crowd ? crowded : usual
    }
}
