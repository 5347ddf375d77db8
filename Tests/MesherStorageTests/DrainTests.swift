import Configuration
import Foundation
import StorageChannel
import TestServers
import Testing

/// A host that is taken out of service, as storage sees it.
@Suite struct DrainTests {
    private static func order(_ storage: StorageProcess) throws {
        try DrainOrder(at: 1, by: "tests").give(in: storage.stateDirectory)
    }

    @Test("it refuses every new event and says so to all edges, also to new ones; then it accepts again")
    func refuses() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        #expect(edge.store([TestEvent(eventID: 1)]) == [.durable])
        try Self.order(storage)
        func isTold(_ edge: TestEdge, _ degradation: Degradation) -> Bool? {
            edge.next { if case .readiness(0, let accepts, degradation) = $0 { accepts } else { nil } }
        }
        #expect(isTold(edge, .draining) == false)
        #expect(edge.store([TestEvent(eventID: 2), TestEvent(ticket: 2, flags: 3)]) == [.unavailable, .unavailable])
        let other = try storage.edge(whenAccepting: false)
        #expect(isTold(other, .draining) == false)
        #expect(storage.log.contains("draining: every new event is refused") && storage.log.contains("by=tests"))
        try DrainOrder.takeBack(in: storage.stateDirectory)
        #expect(isTold(edge, []) == true && isTold(other, []) == true)
        #expect(edge.store([TestEvent(eventID: 3)]) == [.durable])
        #expect(try storage.value("SELECT count(*) FROM events") == "2")
    }

    @Test("a restarted storage refuses from the first event on, and delivers what waits")
    func survivesRestart() throws {
        let storage = try StorageProcess(settings: ["MESHER_SPOOL_AFTER": "200"])
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(edge.store([TestEvent(eventID: 1)]) == [.durable])
        #expect(storage.spoolFiles().count == 1)
        try Self.order(storage)
        #expect(eventually { edge.probe()?.degradation.contains(.draining) == true })
        storage.kill()
        try storage.restart()
        let next = try storage.edge(whenAccepting: false)
        #expect(next.store([TestEvent(eventID: 2)]) == [.unavailable])
        #expect(storage.spoolFiles().count == 1)
        try storage.allowConnections(true)
        #expect(eventually { storage.spoolFiles().isEmpty })
        #expect(next.store([TestEvent(eventID: 3)]) == [.unavailable])
        #expect(try storage.value("SELECT count(*) FROM events") == "1")
    }
}
