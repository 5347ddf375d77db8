import Schema
import Testing

@testable import mesher_storage

@Suite struct ReplayPaceTests {
    @Test("after a part others have three times the time it took")
    func share() {
        var pace = ReplayPace()
        #expect(pace.next == .min)
        pace.began(now: 100)
        pace.delivered(64, now: 130)
        #expect(pace.next == 220)
    }

    @Test("what cannot be delivered is tried again after growing pauses, and at once when it went well")
    func failures() {
        var pace = ReplayPace()
        for failure in 1...100 {
            pace.began(now: 0)
            pace.failed(now: 0)
            #expect(pace.failures == failure)
            #expect(pace.next <= ReplayPace.longestPause)
        }
        #expect(pace.next == ReplayPace.longestPause)
        pace.began(now: 10)
        pace.delivered(64, now: 10)
        #expect(pace.failures == 0 && pace.next == 10)
    }

    /// The sizes and suspicions of the parts of a spool, of whose events some cost a session each time.
    private func parts(of count: Int, costly: Set<Int>) -> [String] {
        var pace = ReplayPace()
        var first = 0
        var parts: [String] = []
        while first < count {
            let size = min(pace.size, count - first)
            let doubt = pace.suspicion.map { $0 == .refused ? "!" : "?" } ?? ""
            parts.append("\(first)+\(size)\(doubt)")
            pace.began(now: 0)
            // One that is refused is not tried again, only another row is.
            if pace.suspicion != .refused, !costly.isDisjoint(with: first..<first + size) {
                pace.failed(now: 0, losingSessionOver: size)
            } else {
                pace.delivered(size, now: 0)
                first += size
            }
        }
        return parts
    }

    @Test("a part that costs two sessions is delivered event by event, and one that costs two more is refused")
    func division() {
        let singles = (1..<64).map { "\($0)+1?" }
        #expect(
            parts(of: 130, costly: [0]) == ["0+64", "0+64", "0+1?", "0+1?", "0+1!"] + singles + ["64+64", "128+2"])
        #expect(
            parts(of: 66, costly: [65])
                == ["0+64", "64+2", "64+2", "64+1?", "65+1?", "65+1?", "65+1!"])
        #expect(parts(of: 1, costly: [0]) == ["0+1", "0+1", "0+1?", "0+1?", "0+1!"])
    }

    @Test("whoever fails without costing a session stays as large, and is not suspected")
    func outage() {
        var pace = ReplayPace()
        for _ in 0..<10 { pace.failed(now: 0) }
        #expect(pace.size == ReplayPace.events && pace.suspicion == nil)
        pace.failed(now: 0, losingSessionOver: 64)
        pace.failed(now: 0)
        pace.failed(now: 0, losingSessionOver: 64)
        #expect(pace.size == 1 && pace.suspicion == .tried)
        for _ in 0..<10 { pace.failed(now: 0) }
        #expect(pace.suspicion == .tried, "PostgreSQL took no other row")
    }
}
