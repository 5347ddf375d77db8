import Foundation
import Scoreboard
import System
import Testing

@testable import mesher_watchdog

struct ChildSlotsTests {
    private let folder: TemporaryFolder
    private let scoreboard: ScoreboardFile
    private let child = Child(role: .worker(.events), number: 0)

    init() throws {
        folder = try TemporaryFolder()
        scoreboard = try ScoreboardFile.open(in: folder.path)
    }

    private func claim(_ slots: inout ChildSlots) throws -> Int {
        let slot = slots.claim(child)
        return try #require(slot)
    }

    private func restarts(_ slot: Int) -> [UInt64] {
        scoreboard.reading(of: slot)?.restarts ?? []
    }

    @Test("what a child was handling when it died is under suspicion, however it ended, and told once")
    func suspicion() throws {
        var slots = ChildSlots(scoreboard, try .create(in: folder.path))
        let slot = try claim(&slots)
        setenv(ScoreboardFile.slotVariable, "\(slot)", 1)
        let process = try ProcessSlot.inherited(runDirectory: folder.path)
        unsetenv(ScoreboardFile.slotVariable)
        slots.started(child, slot, 100)
        process.beginExecuting(5, BodyMark(project: 1, size: 2))
        slots.signalled(100, SIGTERM)
        let ended = slots.ended(100, .killed(9))
        let suspect = try #require(ended)
        #expect(suspect.request == 5 && suspect.body == BodyMark(project: 1, size: 2) && suspect.deaths == 1)
        let again = slots.ended(100, .killed(9))
        #expect(again == nil)
        let next = try claim(&slots)
        slots.started(child, next, 101)
        let idle = slots.ended(101, .exited(1))
        #expect(idle == nil)
    }

    @Test("a child that dies and is started again keeps its slot, and why it died is counted once")
    func death() throws {
        var slots = ChildSlots(scoreboard, try .create(in: folder.path))
        let slot = try claim(&slots)
        #expect(ChildSlots.environment(slot) == ["MESHER_SLOT=\(slot)"])
        slots.started(child, slot, 100)
        slots.ready(100)
        #expect(scoreboard.reading(of: slot)?.state == .ready)
        slots.ended(100, .killed(9))
        slots.pausing(child, 5_000_000_000)
        let reading = try #require(scoreboard.reading(of: slot))
        #expect(reading.state == .waiting && reading.startAt > reading.started)
        #expect(try claim(&slots) == slot)
        #expect(restarts(slot) == [0, 1, 0, 0, 0])
        slots.started(child, slot, 101)
        slots.ended(101, .exited(1))
        #expect(restarts(slot) == [1, 1, 0, 0, 0])
    }

    @Test("a child that is replaced while it lives has two slots, and that is counted as a reload")
    func replacement() throws {
        var slots = ChildSlots(scoreboard, try .create(in: folder.path))
        let old = try claim(&slots)
        slots.started(child, old, 100)
        slots.ready(100)
        let new = try claim(&slots)
        #expect(new != old)
        slots.started(child, new, 101)
        slots.ready(101)
        slots.signalled(100, SIGTERM)
        #expect(scoreboard.reading(of: old)?.state == .stopping)
        slots.ended(100, .exited(0))
        #expect(scoreboard.reading(of: old)?.state == .ended)
        #expect(restarts(old) == [0, 0, 0, 0, 0] && restarts(new) == [0, 0, 0, 0, 1])
    }

    @Test("a child that was aborted was stuck, whatever killed it at last")
    func stuck() throws {
        var slots = ChildSlots(scoreboard, try .create(in: folder.path))
        let slot = try claim(&slots)
        slots.started(child, slot, 100)
        slots.signalled(100, SIGABRT)
        slots.signalled(100, SIGKILL)
        slots.ended(100, .killed(9))
        #expect(restarts(slot) == [0, 0, 1, 0, 0])
    }

    @Test("the first start of a watchdog that comes after another is no restart of ours")
    func adopted() throws {
        var slots = ChildSlots(scoreboard, try .create(in: folder.path))
        slots.started(child, try claim(&slots), 100)
        var successor = ChildSlots(try ScoreboardFile.open(in: folder.path), try .create(in: folder.path))
        let slot = try claim(&successor)
        #expect(restarts(slot) == [0, 0, 0, 0, 0])
    }

    @Test("without a slot a child is started all the same, and not seen")
    func noSlot() throws {
        var slots = ChildSlots(scoreboard, try .create(in: folder.path))
        #expect(ChildSlots.environment(nil).isEmpty)
        slots.started(child, nil, 100)
        slots.failedToStart(nil)
        slots.ended(100, .exited(0))
        #expect(scoreboard.readings().isEmpty && slots.vitals(of: 100) == nil)
    }

    @Test("a stuck child whose successor runs leaves no place that waits, and is counted once, as stuck")
    func stuckAndSucceeded() throws {
        var slots = ChildSlots(scoreboard, try .create(in: folder.path))
        let old = try claim(&slots)
        slots.started(child, old, 100)
        slots.ready(100)
        slots.signalled(100, SIGABRT)
        let new = try claim(&slots)
        slots.started(child, new, 101)
        slots.ready(101)
        slots.ended(100, .killed(6))
        #expect(scoreboard.reading(of: old)?.state == .ended)
        #expect(scoreboard.reading(of: new)?.state == .ready)
        #expect((restarts(old) + restarts(new)).reduce(0, +) == 1)
    }
}
