import Testing

@testable import mesher_stream

struct AdmissionRateTests {
    private let second: Int64 = 1_000_000_000

    @Test("As many as one second grants may come at once, and no more")
    func burst() {
        var rate = AdmissionRate(perSecond: 3, now: 0)
        let admitted = (0..<5).map { _ in rate.admit(now: 0) }
        #expect(admitted == [true, true, true, false, false])
    }

    @Test("What one admission takes has come back after its part of a second, not before")
    func refill() {
        var rate = AdmissionRate(perSecond: 4, now: 0)
        for _ in 0..<4 { _ = rate.admit(now: 0) }
        let admitted = [second / 4 - 1, second / 4, second / 4].map { rate.admit(now: $0) }
        #expect(admitted == [false, true, false])
    }

    @Test("A long quiet time grants no more than one second does, also at the highest rate")
    func longQuiet() {
        var rate = AdmissionRate(perSecond: 100_000, now: 0)
        let later = Int64.max / 2
        let admitted = (0..<100_001).count { _ in rate.admit(now: later) }
        #expect(admitted == 100_000)
    }
}
