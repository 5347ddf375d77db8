import Testing

@testable import mesher_storage

@Suite struct ToldReasonsTests {
    private let hour = ToldReasons.reminder

    /// Whether each of these is told: a reason, or nil for the latest again, at a moment.
    private func told(_ moments: [(reason: String?, now: Int64)]) -> [Bool] {
        var reasons = ToldReasons()
        return moments.map { reason, now in
            reason.map { reasons.tells($0, now: now) } ?? reasons.tellsAgain(now: now)
        }
    }

    @Test("a reason is told once, another one too, and after an hour whichever it is then")
    func hourly() {
        #expect(told([(nil, 9 * hour)]) == [false], "nothing is wrong")
        #expect(
            told([
                ("refused", 0), ("refused", hour - 1), ("password", hour - 1), ("refused", 2 * hour - 2),
                (nil, 2 * hour - 2), (nil, 2 * hour - 1), ("password", 3 * hour - 2), ("password", 3 * hour - 1),
            ]) == [true, false, true, false, false, true, false, true])
    }

    @Test("once it has ended the same reason is told again")
    func ended() {
        var reasons = ToldReasons()
        let first = reasons.tells("refused", now: 0)
        reasons.end()
        let isEmpty = reasons.isEmpty
        let second = reasons.tells("refused", now: 1)
        #expect(first && isEmpty && second && reasons.latest == "refused")
    }

    @Test("a reason that is another each time is not told each time")
    func many() {
        let moments = (0..<1_000).map { (reason: String?.some("\($0)"), now: Int64(0)) } + [("x", hour)]
        #expect(told(moments).count { $0 } == 11)
    }
}
