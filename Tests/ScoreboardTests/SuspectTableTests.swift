import Foundation
import System
import Testing

@testable import Scoreboard

struct SuspectTableTests {
    private let directory: RunDirectory
    private let file: ScoreboardFile

    init() throws {
        directory = try RunDirectory()
        file = try ScoreboardFile.open(in: directory.path)
    }

    private func slot(_ name: String) throws -> (index: Int, slot: ProcessSlot) {
        let index = try #require(file.claim(.worker, name: name)?.slot)
        return (index, try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: directory.path))))
    }

    /// A worker dies while it handles a request.
    @discardableResult
    private func die(_ request: UInt128, _ body: BodyMark, wall: Int64 = 1) throws -> Suspect? {
        let (index, slot) = try slot("worker")
        slot.beginExecuting(request, body)
        let suspect = file.recordDeath(ofSlot: index, wall: wall)
        file.restart(index, .signal, startAt: 0)
        return suspect
    }

    @Test("Who died while handling nothing leaves no suspect")
    func idle() throws {
        let (index, slot) = try slot("worker")
        slot.beginExecuting(9)
        slot.finishExecuting()
        #expect(file.recordDeath(ofSlot: index, wall: 1) == nil)
        #expect(file.suspects() == [])
    }

    @Test("Deaths are counted by request, and by body when its hash is known")
    func counts() throws {
        let size = BodyMark(project: -3, size: 10)
        let body = BodyMark(project: -3, size: 10, hash: 77)
        #expect(try die(1 << 100, size)?.deaths == 1)
        let second = try #require(try die(1 << 100, body, wall: 5))
        #expect(second.deaths == 2 && second.isPoison && second.body == body && second.diedAt == 5)
        #expect(try die(2, body)?.deaths == 3, "another request with that body")
        #expect(try die(3, size)?.deaths == 1, "one of that size")
        let third = try #require(try die(2, size))
        #expect(third.deaths == 4 && third.body == body, "the hash that is known stays known")
        #expect(file.suspects().count == 2)
    }

    @Test("Who opens the scoreboard again finds them, and those that its predecessor's end killed are innocent")
    func outlives() throws {
        try die(1, BodyMark(project: 1, size: 2, hash: 3))
        let (_, slot) = try slot("another")
        slot.beginExecuting(8)
        let again = try ScoreboardFile.open(in: directory.path)
        #expect(again.suspects().map(\.request) == [1])
        #expect(ScoreboardFile.suspects(in: directory.path)?.count == 1)
        #expect(ScoreboardFile.suspects(in: directory.path + "/none") == nil)
    }

    @Test("A project that has its full number gives up its oldest that is no poison, and then its oldest")
    func replacesOwn() throws {
        let count = SuspectTable.projectCapacity
        let own = BodyMark(project: 5)
        try die(9_999, BodyMark(project: 6))
        for request in 1...count { try die(UInt128(request), own, wall: Int64(request)) }
        try die(1, own, wall: 1)
        try die(1_000, own, wall: 1_000)
        #expect(Set(file.suspects().map(\.request)) == Set([1, 1_000, 9_999] + (3...count).map { UInt128($0) }))
        for request in file.suspects().map(\.request) where request != 9_999 {
            try die(request, own, wall: Int64(request))
        }
        try die(1_001, own, wall: 1_001)
        #expect(Set(file.suspects().map(\.request)) == Set([1_000, 1_001, 9_999] + (3...count).map { UInt128($0) }))
    }

    @Test("What came without a key has few records, whatever it kills")
    func strangers() throws {
        for request in 1...100 { try die(UInt128(request), BodyMark(), wall: Int64(request)) }
        #expect(file.suspects().map(\.request) == [100, 99, 98, 97])
    }

    @Test("Of a full table the project with the most records gives up one, and who has one keeps it")
    func replacesOfTheMost() throws {
        let full = SuspectTable.capacity / SuspectTable.projectCapacity
        try die(1, BodyMark(project: 1), wall: 1)
        for project in 2...Int64(full + 2) {
            for request in 1...SuspectTable.projectCapacity {
                try die(UInt128(project) * 100 + UInt128(request), BodyMark(project: project), wall: project)
            }
        }
        let suspects = file.suspects()
        #expect(suspects.count == SuspectTable.capacity)
        #expect(suspects.contains { $0.request == 1 }, "though it is the oldest")
        try die(2, BodyMark(project: 1_000), wall: 1_000)
        #expect(Set(file.suspects().map(\.request)).isSuperset(of: [1, 2]))
    }

    @Test("What is forgotten is gone, the others stay")
    func forgets() throws {
        for request: UInt128 in [1, 2, 3] { try die(request, BodyMark()) }
        #expect(ScoreboardFile.forget(in: directory.path) { $0.request == 2 } == 1)
        #expect(Set(file.suspects().map(\.request)) == [1, 3])
        #expect(ScoreboardFile.forget(in: directory.path) { _ in true } == 2)
        #expect(ScoreboardFile.forget(in: directory.path + "/none") { _ in true } == nil)
    }

    @Test("The records fit behind the rest of the header")
    func layout() {
        #expect(ScoreboardFile.Header.health + 4 * HealthSubject.allCases.count <= SuspectTable.generation)
        #expect(SuspectTable.slotGeneration < SlotLayout.size)
        #expect(SuspectTable.capacity * SuspectTable.recordSize <= SuspectTable.size)
        #expect(SuspectTable.Record.since < SuspectTable.recordSize)
    }

    @Test("A worker sees what others handle, until it is written down; not what it handles itself")
    func board() throws {
        let (own, ownSlot) = try slot("worker 0")
        let board = try #require(SuspectBoard.open(in: directory.path, ownSlot: own))
        var suspects = Suspects()
        board.update(&suspects)
        #expect(suspects.isEmpty)
        // One that is claimed later, and one that is no worker.
        let (other, otherSlot) = try slot("worker 1")
        let storage = try #require(file.claim(.storage, name: "storage")?.slot)
        let storageSlot = try #require(try ProcessSlot.open(storage, of: ScoreboardFile.path(in: directory.path)))
        ownSlot.beginExecuting(1)
        otherSlot.beginExecuting(2, BodyMark(project: 4, size: 5, hash: 6))
        storageSlot.beginExecuting(3)
        board.update(&suspects)
        #expect(suspects.elsewhere == [2] && suspects.dead == [])
        let suspect = try #require(file.recordDeath(ofSlot: other, wall: 1))
        board.update(&suspects)
        #expect(suspects.elsewhere == [] && suspects.dead == [suspect], "a death is not counted twice")
        file.restart(other, .signal, startAt: 0)
        board.update(&suspects)
        #expect(suspects.elsewhere == [] && suspects.dead == [suspect])
        _ = ScoreboardFile.forget(in: directory.path) { _ in true }
        board.update(&suspects)
        #expect(suspects.isEmpty)
    }

    @Test("Without a scoreboard of this layout there is no board")
    func noBoard() throws {
        #expect(SuspectBoard.open(in: directory.path + "/none", ownSlot: 0) == nil)
        let path = ScoreboardFile.path(in: directory.path)
        try Data(count: 100).write(to: URL(fileURLWithPath: path))
        #expect(SuspectBoard.open(in: directory.path, ownSlot: 0) == nil)
    }
}
