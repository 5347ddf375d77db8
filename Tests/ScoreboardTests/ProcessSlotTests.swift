import Foundation
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

    /// The words of each part that has more than one.
    private static let parts: [String: Int] = [
        "name": SlotLayout.nameWords, "restarts": RestartCause.allCases.count,
        "dependencies": Dependency.allCases.count, "outcomes": SlotLayout.outcomeCount,
        "clientDiscards": ClientDiscardLabels.reasons.count, "upgradesRefused": RefusedUpgrade.names.count,
        "sessionsClosed": SessionEnding.allCases.count, "requestDuration": Histogram.requestDuration.bounds.count + 2,
        "batchSize": Histogram.batchSize.bounds.count + 2, "commitDuration": Histogram.commitDuration.bounds.count + 2,
        "nearLimits": 4 * NearLimits.room, "requests": RequestRoute.allCases.count * SlotLayout.statusCount,
    ]

    /// What is a number of words, and no place.
    private static let sizes: Set = ["size", "ownerWords", "nameWords", "outcomeCount", "statusCount", "version"]

    @Test("the parts of a slot do not overlap and end within it, by the places that its source has now")
    func layout() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Sources")
        let source = try String(contentsOf: root.appendingPathComponent("Scoreboard/SlotLayout.swift"), encoding: .utf8)
        let places = source.matches(of: /static let (\w+) = (\d+)\n/).compactMap { match in
            Int(match.output.2).map { (name: String(match.output.1), word: $0) }
        }.filter { !Self.sizes.contains($0.name) }.sorted { $0.word < $1.word }
        #expect(places.count > 40 && Set(Self.parts.keys).isSubset(of: places.map(\.name)))
        for (part, next) in zip(places, places.dropFirst() + [("the end", SlotLayout.size)]) {
            let end = part.word + (Self.parts[part.name] ?? 1)
            #expect(end <= next.word, "\(part.name) reaches into \(next.name)")
            #expect(part.word >= SlotLayout.ownerWords || end <= SlotLayout.ownerWords, "\(part.name) has two writers")
        }
        #expect(OutcomeLabels.reasons.count < SlotLayout.outcomeCount)
        #expect(RequestStatus.names.count <= SlotLayout.statusCount)
    }

    @Test("a part's last word is its own: the last outcome, status, ending and class are counted there alone")
    func lastWords() throws {
        let directory = try RunDirectory()
        let file = try ScoreboardFile.open(in: directory.path)
        let index = try #require(file.claim(.worker, name: "w")?.slot)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: directory.path)))
        slot.countEvents(3, outcome: OutcomeLabels.reasons.count)
        slot.countEvents(3, outcome: SlotLayout.outcomeCount)
        slot.countClientDiscards(5, reason: ClientDiscardLabels.reasons.count - 1)
        slot.countClientDiscards(5, reason: ClientDiscardLabels.reasons.count)
        slot.countClosedSession(try #require(SessionEnding.allCases.last))
        slot.countCommit(events: 1_001, duration: .max, wall: 1)
        let reading = try #require(file.reading(of: index))
        #expect(reading.outcomes.last == 3 && reading.outcomes.reduce(0, +) == 3)
        #expect(reading.clientDiscards.last == 5 && reading.clientDiscards.reduce(0, +) == 5)
        #expect(reading.sessionsClosed.last == 1 && reading.sessionsClosed.reduce(0, +) == 1)
        #expect(reading.batchSize.counts.last == 1 && reading.batchSize.sum == 1_001)
        #expect(reading.commitDuration.counts.last == 1 && reading.commitDuration.sum == UInt64(Int64.max))
        #expect(reading.requestCount == 0 && reading.sessionsOpened == 0 && reading.streamMessages == 0)
    }

    @Test("a slot that nobody sees takes the same calls, and no scoreboard has them")
    func unseen() throws {
        let directory = try RunDirectory()
        let file = try ScoreboardFile.open(in: directory.path)
        let index = try #require(file.claim(.worker, name: "w")?.slot)
        let slot = try ProcessSlot.unseen()
        slot.beat(now: 1, inHand: 1, droppedLogLines: 0)
        slot.countEvents(5, outcome: OutcomeLabels.discarded(3))
        slot.countEvents(5, outcome: .max)
        slot.setLastPartition(day: 2)
        slot.countRateLimitFallbacks(1)
        let reading = try #require(file.reading(of: index))
        #expect(reading.outcomes.allSatisfy { $0 == 0 } && reading.rateLimitFallbacks == 0)
        #expect(reading.inHand == 0 && reading.lastPartition == nil)
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
