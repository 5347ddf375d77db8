import Foundation
import System
import Testing

@testable import Scoreboard

struct ScoreboardFileTests {
    let directory: RunDirectory

    init() throws {
        directory = try RunDirectory()
    }

    @Test("what a process counts is read by the watchdog, and only its own slot is")
    func countsAreShared() throws {
        let file = try ScoreboardFile.open(in: directory.path)
        let first = try #require(file.claim(.worker, name: "worker events 0")?.slot)
        let second = try #require(file.claim(.worker, name: "worker events 1")?.slot)
        #expect(first != second)
        file.started(first, pid: 42, wall: 7)
        let slot = try #require(try ProcessSlot.open(first, of: ScoreboardFile.path(in: directory.path)))
        slot.countEvents(3, outcome: OutcomeLabels.accepted)
        slot.countRequest(.bulk, status: 202, duration: 1_000_000)
        let reading = try #require(file.reading(of: first))
        #expect(reading.role == .worker && reading.name == "worker events 0" && reading.pid == 42)
        #expect(reading.outcomes[0] == 3 && reading.requestCount == 1)
        let other = try #require(file.reading(of: second))
        #expect(other.outcomes.allSatisfy { $0 == 0 } && other.requestCount == 0)
    }

    @Test("a process that takes over a place goes on with its counters, and begins with no heartbeat or execution")
    func successorGoesOn() throws {
        let file = try ScoreboardFile.open(in: directory.path)
        let path = ScoreboardFile.path(in: directory.path)
        let index = try #require(file.claim(.worker, name: "worker bulk 0")?.slot)
        let slot = try #require(try ProcessSlot.open(index, of: path))
        slot.countEvents(outcome: OutcomeLabels.accepted)
        slot.beat(now: 5, inHand: 2, droppedLogLines: 3)
        let before = Clock.monotonic()
        slot.beginExecuting(1 << 100 | 9)
        let vitals = try #require(file.vitals(of: index))
        #expect(vitals.heartbeat == 5 && vitals.execution?.request == 1 << 100 | 9)
        #expect((before...Clock.monotonic()).contains(try #require(vitals.execution?.since)))
        slot.finishExecuting()
        #expect(file.vitals(of: index)?.execution == nil)
        slot.beginExecuting(7)
        file.restart(index, .signal, startAt: 8)
        #expect(file.reading(of: index)?.state == .waiting && file.reading(of: index)?.startAt == 8)

        #expect(file.claim(.worker, name: "worker bulk 0")?.slot == index)
        let reading = try #require(file.reading(of: index))
        #expect(reading.vitals == Vitals(heartbeat: nil, execution: nil) && reading.inHand == 0)
        #expect(reading.state == .starting && reading.restarts == [0, 1, 0, 0, 0])
        let successor = try #require(try ProcessSlot.open(index, of: path))
        successor.countEvents(outcome: OutcomeLabels.accepted)
        for _ in 0..<2 { successor.beat(now: 9, inHand: 0, droppedLogLines: 4) }
        #expect(file.reading(of: index)?.outcomes[0] == 2)
        #expect(file.reading(of: index)?.droppedLogLines == 7)
    }

    @Test("during a reload a place has two slots, and afterwards gets back one it had")
    func reloadHasTwoSlots() throws {
        let file = try ScoreboardFile.open(in: directory.path)
        let old = try #require(file.claim(.storage, name: "storage")?.slot)
        file.set(.ready, of: old)
        let new = try #require(file.claim(.storage, name: "storage")?.slot)
        #expect(old != new)
        file.end(old)
        #expect(file.claim(.storage, name: "storage")?.slot == old)
    }

    @Test("a place that waits to be started again does not also seem to wait in another slot")
    func waitingComesFirst() throws {
        let file = try ScoreboardFile.open(in: directory.path)
        let first = try #require(file.claim(.storage, name: "storage")?.slot)
        let second = try #require(file.claim(.storage, name: "storage")?.slot)
        file.end(first)
        file.restart(second, .exit, startAt: 1)
        #expect(file.claim(.storage, name: "storage")?.slot == second)
    }

    @Test("a watchdog that comes after another goes on with its counters, and takes nothing for running")
    func survivesItsOwner() throws {
        do {
            let file = try ScoreboardFile.open(in: directory.path)
            let index = try #require(file.claim(.storage, name: "storage")?.slot)
            file.set(.ready, of: index)
            let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: directory.path)))
            slot.countCommit(events: 40, duration: 2_000_000, wall: 99)
            file.recordReload(succeeded: false, wall: 5)
        }
        let file = try ScoreboardFile.open(in: directory.path)
        let reading = try #require(file.readings().first)
        #expect(file.readings().count == 1)
        #expect(reading.state == .ended && reading.pid == 0)
        #expect(reading.batchSize.sum == 40 && reading.commitDuration.sum == 2_000_000 && reading.lastCommit == 99)
        #expect(file.lastReload == ReloadReading(serial: 1, at: 5, succeeded: false))
        #expect(file.claim(.storage, name: "storage")?.slot == 0)
    }

    @Test("a file that is no scoreboard of this layout is replaced", arguments: [0, 100, ScoreboardFile.size])
    func foreignFile(size: Int) throws {
        let path = ScoreboardFile.path(in: directory.path)
        try Data(repeating: 0xff, count: size).write(to: URL(fileURLWithPath: path))
        #expect(try ProcessSlot.open(0, of: path) == nil)
        #expect(try ScoreboardFile.open(in: directory.path).readings().isEmpty)
        #expect(try ScoreboardFile.open(in: directory.path).claim(.worker, name: "x")?.slot == 0)
    }

    @Test("it has room for 600 processes, and says so when there is none")
    func room() throws {
        let file = try ScoreboardFile.open(in: directory.path)
        let claimed = (0..<700).compactMap { file.claim(.worker, name: "worker events \($0)")?.slot }
        #expect(claimed == Array(0..<ScoreboardFile.slotCount) && claimed.count >= 600)
    }

    @Test("failures of a health check are counted until one succeeds")
    func health() throws {
        let file = try ScoreboardFile.open(in: directory.path)
        #expect(file.health(.bulk) == nil)
        #expect(file.recordHealth(.bulk, isGood: false, duration: 5, wall: 1) == 1)
        #expect(file.recordHealth(.bulk, isGood: false, duration: 6, wall: 2) == 2)
        #expect(file.health(.bulk) == HealthReading(at: 2, duration: 6, failuresInRow: 2))
        #expect(file.recordHealth(.bulk, isGood: true, duration: 7, wall: 3) == 0)
        #expect(file.health(.events) == nil)
    }
}
