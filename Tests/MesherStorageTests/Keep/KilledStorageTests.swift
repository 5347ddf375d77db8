import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

/// The promise of an acknowledgement, kept by a storage that is killed, or told to end.
@Suite struct KilledStorageTests {
    /// Kills storage at a point of the way of ten events to the disk, starts it again, and sends those that were not
    /// acknowledged again.
    ///
    /// - Returns: how many rows and how many ids there are once nothing waits on disk.
    private func stored(killedAt fault: String, prepare: String = "") throws -> String? {
        let storage = try StorageProcess(settings: ["MESHER_FAULT": fault], prepare: prepare)
        var edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { !storage.isRunning || edge.probe()?.degradation == .postgresql })
        edge.send(SpooledEvents.events(10).flatMap(\.frame))
        let acknowledged = edge.results(10)
        #expect(eventually { !storage.isRunning })
        try storage.restart(settings: ["MESHER_FAULT": nil])
        try storage.allowConnections(true)
        #expect(eventually { SpooledEvents.isEmpty(storage) })
        edge = try storage.edge()
        #expect(
            edge.store(SpooledEvents.events(10).filter { acknowledged[$0.ticket] == nil }).allSatisfy { $0 == .durable }
        )
        #expect(eventually { SpooledEvents.isEmpty(storage) })
        return try storage.value("SELECT count(*) || ' rows, ' || count(DISTINCT event_id) || ' ids' FROM events")
    }

    @Test(
        "killed at any point of the way to the disk, it has lost nothing that was acknowledged, and stores nothing twice",
        arguments: ["before-write:kill", "after-write:kill", "after-sync:kill", "after-acknowledgement:kill:3"])
    func killedWhileSpooling(fault: String) throws {
        #expect(try stored(killedAt: fault) == "10 rows, 10 ids")
    }

    @Test("what it acknowledges early it does lose, and without a primary key it stores twice: that test could fail")
    func killedWithoutProtection() throws {
        let early = try stored(killedAt: "before-write:kill:1:early")
        let twice = try stored(killedAt: "after-sync:kill", prepare: SpooledEvents.withoutPrimaryKey)
        print("killed on the way to the disk: \(early ?? "") with early answers, \(twice ?? "") without a primary key")
        #expect(early?.hasSuffix(" 10 ids") == false)
        #expect(twice?.hasSuffix(" 10 ids") == true && twice?.hasPrefix("10 rows") == false)
    }

    @Test(
        "killed before a commit, it has lost nothing that was acknowledged; it has when it answers early",
        arguments: [false, true])
    func killedBeforeCommit(answersEarly: Bool) throws {
        let storage = try StorageProcess(
            settings: ["MESHER_FAULT": answersEarly ? "early" : "", "MESHER_SPOOL_AFTER": "4000"])
        let edge = try storage.edge()
        // The day gets its partition, so that the next statement stores events.
        #expect(edge.store(SpooledEvents.events(1)) == [.durable])
        #expect(try eventually { try SpooledEvents.holds(storage, 1) })
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        edge.send(SpooledEvents.events(9, from: 1).flatMap(\.frame))
        #expect(try eventually { try storage.isCommitWaiting() })
        storage.kill()
        let acknowledged = edge.results(9)
        try storage.endSessions()
        try blocker.execute("ROLLBACK")
        try storage.restart(settings: ["MESHER_FAULT": nil])
        let again = SpooledEvents.events(9, from: 1).filter { acknowledged[$0.ticket] == nil }
        #expect(try storage.edge().store(again).allSatisfy { $0 == .durable })
        #expect(try SpooledEvents.holds(storage, 10) != answersEarly)
    }

    @Test(
        "killed after a commit that nobody was told of, it stores what is sent again only once; not without a primary key",
        arguments: [true, false])
    func killedAfterCommit(hasPrimaryKey: Bool) throws {
        let storage = try StorageProcess(
            settings: ["MESHER_FAULT": "after-commit:kill"],
            prepare: hasPrimaryKey ? "" : SpooledEvents.withoutPrimaryKey)
        let edge = try storage.edge()
        edge.send(SpooledEvents.events(10).flatMap(\.frame))
        #expect(edge.results(1, within: 2).isEmpty)
        #expect(eventually { !storage.isRunning })
        try storage.restart(settings: ["MESHER_FAULT": nil])
        #expect(try storage.edge().store(SpooledEvents.events(10)).allSatisfy { $0 == .durable })
        #expect(try SpooledEvents.holds(storage, 10) == hasPrimaryKey)
    }

    @Test("killed with a full spool, it delivers it after its next start")
    func restart() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(edge.store(SpooledEvents.events(1_200)).allSatisfy { $0 == .durable })
        storage.kill()
        try storage.restart()
        #expect(try storage.edge().store(SpooledEvents.events(10, from: 1_200)).allSatisfy { $0 == .durable })
        try storage.allowConnections(true)
        #expect(try eventually { try SpooledEvents.holds(storage, 1_210) })
        #expect(eventually { SpooledEvents.isEmpty(storage) })
    }

    @Test("SIGTERM while PostgreSQL is away leaves the spool to the next start")
    func terminated() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(edge.store(SpooledEvents.events(5)).allSatisfy { $0 == .durable })
        storage.terminate()
        #expect(storage.wait() == 0)
        try storage.restart()
        try storage.allowConnections(true)
        #expect(try eventually { try SpooledEvents.holds(storage, 5) })
    }
}
