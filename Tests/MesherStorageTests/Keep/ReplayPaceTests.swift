import Testing

@testable import mesher_storage

@Suite struct ReplayPaceTests {
    @Test("after a part others have three times the time it took")
    func share() {
        var pace = ReplayPace()
        #expect(pace.next == .min)
        pace.began(now: 100)
        pace.delivered(now: 130)
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
        pace.delivered(now: 10)
        #expect(pace.failures == 0 && pace.next == 10)
    }
}
