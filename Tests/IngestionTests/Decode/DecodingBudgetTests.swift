import Deflate
import RecordedInputs
import Testing

@Suite struct DecodingBudgetTests {
    private static let budget = {
        var budget = DecodingBudget(perByteSent: 100)
        budget.base = 1_000
        budget.perByteDecoded = 10
        budget.ceiling = 1_000_000
        return budget
    }()

    @Test("any body may take the base, and more for each byte that was sent and that came out")
    func grows() {
        for (sent, decoded, bound) in [(0, 0, 1_000), (5, 0, 1_500), (0, 7, 1_070), (20, 30, 3_300)]
            as [(Int, Int, Int64)]
        {
            #expect(Self.budget.allows(bound, sent: sent, decoded: decoded))
            #expect(!Self.budget.allows(bound + 1, sent: sent, decoded: decoded))
        }
    }

    @Test("none may take more than the ceiling, whatever its size")
    func ceiling() {
        #expect(Self.budget.allows(1_000_000, sent: .max, decoded: .max))
        #expect(!Self.budget.allows(1_000_001, sent: .max, decoded: .max))
    }

    @Test("the clock is read once for each step of input or of output, not for every piece")
    func readsSeldom() {
        let clock = SteppingClock(1)
        var meter = DecodingMeter(Self.budget, clock: clock.read)
        for _ in 0..<DecodingMeter.step.sent { _ = meter.count(sent: 1, decoded: 0) }
        #expect(clock.readings == 2)
        for _ in 0..<4 { _ = meter.count(sent: 0, decoded: DecodingMeter.step.decoded / 4) }
        #expect(clock.readings == 3)
        #expect(meter.spent == 2)
    }

    @Test("a slow body is refused at the step in which it goes over")
    func refuses() {
        let clock = SteppingClock(300_000)
        var meter = DecodingMeter(Self.budget, clock: clock.read)
        // 2 KiB are worth 205 us and the base.
        let isWithin = meter.count(sent: DecodingMeter.step.sent, decoded: 0)
        #expect(!isWithin)
        #expect(meter.spent == 300_000)
    }

    @Test("what the thread does between two pieces of a body is not counted")
    func resumes() {
        let clock = SteppingClock(10)
        var meter = DecodingMeter(Self.budget, clock: clock.read)
        for _ in 0..<100 { _ = clock.read() }
        meter.resume()
        _ = meter.read()
        #expect(meter.spent == 10)
    }
}
