import Testing

@testable import Schema

struct StepPaceTests {
    @Test("steps grow while they are quick, at most twice at a time, and never beyond a bound")
    func grows() {
        var pace = StepPace()
        let first = pace.rows
        _ = pace.took(StepPace.target / 4)
        #expect(pace.rows == 2 * first)
        for _ in 0..<50 { _ = pace.took(1) }
        #expect(pace.rows == StepPace.bounds.upperBound)
    }

    @Test("a step that is slow is followed by a smaller one and a pause of three times its length")
    func shrinks() {
        var pace = StepPace()
        let first = pace.rows
        #expect(pace.took(2 * StepPace.target) == 6 * StepPace.target)
        #expect(pace.rows == first / 2)
        for _ in 0..<50 { _ = pace.took(60_000_000_000) }
        #expect(pace.rows == StepPace.bounds.lowerBound)
    }

    @Test("own work is followed by a pause when others wanted the processor as well")
    func courtesy() {
        #expect(StepPace.pause(after: 30, processor: 30) == 0)
        #expect(StepPace.pause(after: 30, processor: 31) == 0)
        #expect(StepPace.pause(after: 30, processor: 20) == 50)
        #expect(StepPace.pause(after: .max, processor: 0) == StepPace.longestPause)
        #expect(StepPace.pause(after: .min, processor: .max) >= 0)
    }

    @Test("no length of a step makes the pause endless, or none", arguments: [Int64.min, -1, 0, 1, .max])
    func bounded(duration: Int64) {
        var pace = StepPace()
        #expect((1...StepPace.longestPause).contains(pace.took(duration)))
        #expect(StepPace.bounds.contains(pace.rows))
    }
}
