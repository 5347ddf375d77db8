import Testing

@testable import Edge

@Suite struct RedisIdleTimeTests {
    @Test("a few streams keep their connections to Redis for half a minute, thousands give them back at once")
    func idleTime() {
        #expect(RedisIdleTime.among(sharers: 1_000) == 30_000_000_000)
        #expect(RedisIdleTime.among(sharers: 1_001) == 100_000_000)
    }
}
