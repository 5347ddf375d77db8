import Testing

@testable import Scoreboard

struct ProcessSlotTests {
    @Test("a value is counted in the class whose bound it does not exceed, and one beyond all in the last")
    func histogramClasses() throws {
        let directory = try RunDirectory()
        let file = try ScoreboardFile.open(in: directory.path)
        let index = try #require(file.claim(.worker, name: "w")?.slot)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: directory.path)))
        for duration: Int64 in [0, 1_000_000, 1_000_001, 10_000_000_000, 10_000_000_001, -1] {
            slot.countRequest(.events, status: 202, duration: duration)
        }
        let reading = try #require(file.reading(of: index)).requestDuration
        #expect(reading.counts == [3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
        #expect(reading.sum == 20_002_000_002)
    }

    @Test("every route and status has a place of its own, and unknown statuses share one")
    func requestPlaces() throws {
        let directory = try RunDirectory()
        let file = try ScoreboardFile.open(in: directory.path)
        let index = try #require(file.claim(.worker, name: "w")?.slot)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: directory.path)))
        for route in RequestRoute.allCases {
            for status in RequestStatus.counted + [500] { slot.countRequest(route, status: status, duration: 0) }
        }
        #expect(try #require(file.reading(of: index)).requests.joined().allSatisfy { $0 == 1 })
    }

    @Test("the parts of a slot do not overlap and end within it")
    func layout() {
        let parts = [
            (SlotLayout.fingerprintWord, 6), (SlotLayout.name, SlotLayout.nameWords),
            (SlotLayout.restarts, RestartCause.allCases.count), (SlotLayout.heartbeat, 5),
            (SlotLayout.dependencies, Dependency.allCases.count), (SlotLayout.rateLimitFallbacks, 4),
            (SlotLayout.outcomes, SlotLayout.outcomeCount),
            (SlotLayout.clientDiscards, ClientDiscardLabels.reasons.count), (SlotLayout.sessionsOpened, 2),
            (SlotLayout.upgradesRefused, RefusedUpgrade.names.count), (SlotLayout.sessionMemoryLimit, 2),
            (SlotLayout.sessionsClosed, SessionEnding.allCases.count),
            (SlotLayout.requestDuration, Histogram.requestDuration.wordCount),
            (SlotLayout.batchSize, Histogram.batchSize.wordCount),
            (SlotLayout.commitDuration, Histogram.commitDuration.wordCount),
            (SlotLayout.requests, RequestRoute.allCases.count * SlotLayout.statusCount), (SlotLayout.size, 0),
        ]
        for (part, next) in zip(parts, parts.dropFirst()) { #expect(part.0 + part.1 <= next.0) }
        #expect(OutcomeLabels.reasons.count < SlotLayout.outcomeCount)
        #expect(RequestStatus.names.count <= SlotLayout.statusCount)
    }

    @Test("a slot that nobody sees takes the same calls")
    func unseen() throws {
        let slot = try ProcessSlot.unseen()
        slot.beat(now: 1, inHand: 1, droppedLogLines: 0)
        slot.countEvents(5, outcome: OutcomeLabels.discarded(3))
        slot.countEvents(5, outcome: .max)
        slot.setLastPartition(day: 2)
        slot.countRateLimitFallbacks(1)
    }

    @Test("there is no slot without a file, and none beyond the last")
    func missing() throws {
        let directory = try RunDirectory()
        let path = ScoreboardFile.path(in: directory.path)
        #expect(throws: (any Error).self) { try ProcessSlot.open(0, of: path) }
        _ = try ScoreboardFile.open(in: directory.path)
        #expect(try ProcessSlot.open(-1, of: path) == nil)
        #expect(try ProcessSlot.open(ScoreboardFile.slotCount, of: path) == nil)
        // No watchdog has claimed it.
        #expect(try ProcessSlot.open(0, of: path) == nil)
    }
}
