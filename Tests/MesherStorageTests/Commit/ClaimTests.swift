import StorageChannel
import TestServers
import Testing

@testable import mesher_storage

@Suite struct ClaimTests {
    private static let midnight = 9_499 * EventRecord.day

    @Test(
        "ids of one day that are sent to two hosts at once are stored once, though the other's clock says the next day")
    func hosts() throws {
        let one = try StorageProcess()
        let other = try StorageProcess(url: one.databaseURL)
        let edges = [try one.edge(), try other.edge()]
        for (edge, day) in zip(edges, [9_498, 9_499] as [Int32]) {
            let time = Self.midnight + (day == 9_498 ? -60_000_000 : 60_000_000)
            edge.send((1...300).flatMap { TestEvent(ticket: $0, eventID: UInt128($0), day: day, time: time).frame })
        }
        #expect(edges.allSatisfy { $0.results(300).values.allSatisfy { $0.result == .durable } })
        #expect(try eventually { try one.value("SELECT count(*) FROM events") == "300" })
        #expect(try one.value("SELECT count(*) FROM event_claims WHERE midnight = '2026-01-03'") == "300")
    }

    @Test("nothing is claimed at noon, nor when that is not wanted")
    func noClaims() throws {
        let storage = try StorageProcess()
        #expect(try storage.edge().store([TestEvent()]) == [.durable])
        storage.kill()
        try storage.restart(settings: ["MESHER_MIDNIGHT_MARGIN": "0"])
        #expect(try storage.edge().store([TestEvent(time: Self.midnight - 1)]) == [.durable])
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "2" })
        #expect(try storage.value("SELECT count(*) FROM event_claims") == "0")
    }
}
