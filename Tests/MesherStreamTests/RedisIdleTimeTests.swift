import Testing

@testable import mesher_stream

@Suite struct RedisIdleTimeTests {
    @Test("a few streams keep their connections to Redis for half a minute, thousands give them back at once")
    func idleTime() {
        #expect(RedisIdleTime.among(sessions: 1_000) == 30_000_000_000)
        #expect(RedisIdleTime.among(sessions: 1_001) == 100_000_000)
    }
}
