import Testing
import WebSocket

@testable import mesher_stream

struct LivenessTests {
    private let second: Int64 = 1_000_000_000

    private func expect(
        _ liveness: inout Liveness, at now: Int64, _ expected: Liveness.Due?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let due = liveness.due(now: now)
        #expect(due == expected, sourceLocation: sourceLocation)
    }

    private func expectKept(
        _ liveness: inout Liveness, at now: Int64, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let due = liveness.due(now: now)
        #expect(due != .drop, sourceLocation: sourceLocation)
    }

    @Test("A ping is due each 30 s, and a peer that says nothing for 60 s is dropped")
    func silence() {
        var liveness = Liveness(now: 0, pingInterval: 30 * second)
        #expect(liveness.wakeAt == 30 * second)
        expect(&liveness, at: 30 * second - 1, nil)
        expect(&liveness, at: 30 * second, .ping)
        expect(&liveness, at: 30 * second, nil)
        expect(&liveness, at: 60 * second, .drop)
    }

    @Test("With another interval both are shorter")
    func shorter() {
        var liveness = Liveness(now: 0, pingInterval: second)
        expect(&liveness, at: second, .ping)
        expect(&liveness, at: 2 * second, .drop)
    }

    @Test("A peer that answers is kept")
    func answers() {
        var liveness = Liveness(now: 0, pingInterval: 30 * second)
        for round in 1...10 {
            expect(&liveness, at: Int64(round) * 30 * second, .ping)
            liveness.heard(now: Int64(round) * 30 * second + 1)
        }
    }

    @Test("While the peer is not read from, the clock for its pongs stands")
    func backPressure() {
        var liveness = Liveness(now: 0, pingInterval: 30 * second)
        liveness.reads(false, now: 10 * second)
        expect(&liveness, at: 200 * second, .ping)
        liveness.reads(true, now: 210 * second)
        expect(&liveness, at: 259 * second, .ping)
        expect(&liveness, at: 260 * second, .drop)
    }

    @Test("A peer that takes nothing of what waits for it for 60 s is dropped, also while it is not read from")
    func neverReading() {
        var liveness = Liveness(now: 0, pingInterval: 30 * second)
        liveness.reads(false, now: 0)
        liveness.wrote(0, rest: 100, now: 5 * second)
        liveness.wrote(0, rest: 200, now: 50 * second)
        expect(&liveness, at: 65 * second, .drop)
    }

    @Test("One that takes a little at a time is kept")
    func slowReader() {
        var liveness = Liveness(now: 0, pingInterval: 30 * second)
        liveness.reads(false, now: 0)
        for round in 1...5 {
            liveness.wrote(1, rest: 100, now: Int64(round) * 40 * second)
            expectKept(&liveness, at: Int64(round) * 40 * second)
        }
        liveness.wrote(95, rest: 0, now: 220 * second)
        expectKept(&liveness, at: 400 * second)
    }

    @Test("A message has 60 s and a second for every 4 KiB that have come of it, however many pongs there are")
    func slowMessage() {
        var liveness = Liveness(now: 0, pingInterval: 30 * second)
        func end(_ liveness: Liveness, _ now: Int64) -> Liveness.Due? {
            var liveness = liveness
            liveness.heard(now: now)
            var due = liveness.due(now: now)
            if due == .ping { due = liveness.due(now: now) }
            return due
        }
        liveness.awaits(UnfinishedMessage(number: 1, received: 5_000), now: 10 * second)
        #expect(end(liveness, 71 * second - 1) == nil && end(liveness, 71 * second) == .giveUpMessage)
        liveness.awaits(UnfinishedMessage(number: 1, received: 1 << 20), now: 60 * second)
        #expect(end(liveness, 326 * second - 1) == nil && end(liveness, 326 * second) == .giveUpMessage)
        // The next one has its own time.
        liveness.awaits(UnfinishedMessage(number: 2, received: 0), now: 300 * second)
        #expect(end(liveness, 359 * second) == nil && end(liveness, 360 * second) == .giveUpMessage)
        liveness.awaits(nil, now: 360 * second)
        #expect(end(liveness, 10_000 * second) == nil)
    }

    @Test("The time in which it is not read does not count, and the largest has its time at that rate, but no more")
    func slowestMessage() {
        var liveness = Liveness(now: 0, pingInterval: 30 * second)
        liveness.awaits(UnfinishedMessage(number: 1, received: 0), now: 0)
        liveness.reads(false, now: 10 * second)
        #expect(liveness.due(now: 30 * second) == .ping && liveness.due(now: 59 * second) == nil)
        liveness.reads(true, now: 40 * second)
        liveness.heard(now: 80 * second)
        #expect(liveness.due(now: 80 * second) == .ping && liveness.due(now: 90 * second) == .giveUpMessage)
        for received in [5 << 20, Int.max] {
            var liveness = Liveness(now: 100 * second, pingInterval: 30 * second)
            liveness.awaits(UnfinishedMessage(number: 1, received: received), now: 100 * second)
            liveness.heard(now: 1_439 * second)
            #expect(liveness.due(now: 1_439 * second) == .ping && liveness.due(now: 1_439 * second) == nil)
            liveness.heard(now: 1_500 * second)
            #expect(liveness.due(now: 1_500 * second) == .giveUpMessage)
        }
    }
}
