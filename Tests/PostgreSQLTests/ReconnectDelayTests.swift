import PostgreSQL
import Testing

@Suite struct ReconnectDelayTests {
    /// The ceilings of the first delays, in milliseconds.
    private let ceilings: [Int64] = [100, 200, 400, 800, 1_600, 2_000, 2_000]

    @Test("delays grow from 100 ms to 2 s, each between half of its ceiling and the whole")
    func growth() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var delay = ReconnectDelay()
            for ceiling in ceilings {
                let nanoseconds = ceiling * 1_000_000
                #expect((nanoseconds / 2...nanoseconds).contains(delay.next(using: &generator)))
            }
        }
    }

    @Test("two hosts rarely wait equally long")
    func jitter() {
        var generator = SystemRandomNumberGenerator()
        let delays = (0..<50).map { _ in
            var delay = ReconnectDelay()
            return delay.next(using: &generator)
        }
        #expect(Set(delays).count > 40)
    }

    @Test("after a success delays begin anew")
    func reset() {
        var generator = SystemRandomNumberGenerator()
        var delay = ReconnectDelay()
        for _ in ceilings { _ = delay.next(using: &generator) }
        delay.reset()
        #expect(delay.next(using: &generator) <= 100_000_000)
    }
}
