import PostgreSQL
import Testing

@Suite struct ReconnectDelayTests {
    /// Always the largest or always the smallest number.
    private struct Constant: RandomNumberGenerator {
        let value: UInt64
        func next() -> UInt64 { value }
    }

    @Test("delays double from 100 ms to 5 s and begin anew after a success")
    func doubling() {
        var generator = Constant(value: .max)
        var delay = ReconnectDelay()
        let delays = (0..<8).map { _ in delay.next(using: &generator) / 1_000_000 }
        #expect(delays == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
        delay.reset()
        #expect(delay.next(using: &generator) == 100_000_000)
    }

    @Test("a delay is never shorter than half of its ceiling")
    func jitter() {
        var generator = Constant(value: 0)
        var delay = ReconnectDelay()
        #expect(delay.next(using: &generator) == 50_000_000)
        #expect(delay.next(using: &generator) == 100_000_000)
    }
}
