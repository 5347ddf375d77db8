import Testing

@testable import mesher_watchdog

struct RestartPolicyTests {
    private static let second: Int64 = 1_000_000_000

    @Test("A child that was ready and lived a second is started again at once")
    func startsAtOnceAfterALifeThatCounts() {
        var policy = RestartPolicy()
        #expect(policy.pause(afterLiving: Self.second, wasReady: true, jitter: 0) == 0)
    }

    @Test("A child that dies within its first second waits, although it was ready")
    func waitsAfterAShortLife() {
        var policy = RestartPolicy()
        #expect(policy.pause(afterLiving: Self.second - 1, wasReady: true, jitter: 0) == 250_000_000)
    }

    @Test("A child that never became ready waits, however long it lived")
    func waitsAfterALifeThatWasNeverReady() {
        var policy = RestartPolicy()
        #expect(policy.pause(afterLiving: 100 * Self.second, wasReady: false, jitter: 0) == 250_000_000)
    }

    @Test("The pause doubles at each further early death, and ends at thirty seconds")
    func doublesUpToThirtySeconds() {
        var policy = RestartPolicy()
        let pauses = (0..<70).map { _ in policy.pause(afterLiving: 0, wasReady: false, jitter: 0) / 1_000_000 }
        #expect(pauses.prefix(9) == [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
        #expect(pauses.last == 30_000)
    }

    @Test("The pause of a child that had become ready ends at a second")
    func endsAtASecondOnceReady() {
        var policy = RestartPolicy()
        let pauses = (0..<70).map { _ in policy.pause(afterLiving: 0, wasReady: true, jitter: 0) / 1_000_000 }
        #expect(pauses.prefix(4) == [250, 500, 1_000, 1_000] && pauses.last == 1_000)
        #expect(policy.pause(afterLiving: 0, wasReady: false, jitter: 0) == RestartPolicy.longestPause)
    }

    @Test("A life that counts makes the next early death the first again")
    func forgetsEarlyDeaths() {
        var policy = RestartPolicy()
        for _ in 0..<5 { _ = policy.pause(afterLiving: 0, wasReady: false, jitter: 0) }
        _ = policy.pause(afterLiving: 2 * Self.second, wasReady: true, jitter: 0)
        #expect(policy.pause(afterLiving: 0, wasReady: true, jitter: 0) == 250_000_000)
    }

    @Test("Jitter shortens a pause by a quarter at most, whatever number it is", arguments: [-1, 0, 0.5, 1, 7])
    func jitterIsBounded(jitter: Double) {
        var policy = RestartPolicy()
        #expect((187_500_000...250_000_000).contains(policy.pause(afterLiving: 0, wasReady: false, jitter: jitter)))
    }
}
