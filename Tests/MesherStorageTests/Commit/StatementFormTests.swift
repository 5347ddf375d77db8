import StorageChannel
import TestServers
import Testing

@testable import mesher_storage

@Suite struct StatementFormTests {
    private static let midnight = 9_499 * EventRecord.day

    @Test("a time is near midnight from so long before it until so long after it, in whatever century")
    func nearMidnight() {
        for midnight in [Self.midnight, 0, -Self.midnight] {
            for (time, isNear) in [(-300, true), (-301, false), (0, true), (299, true), (300, false)] {
                let time = midnight + Int64(time) * 1_000_000
                #expect(StatementForm.isNearMidnight(time, margin: 300_000_000) == isNear, "\(time)")
            }
        }
    }

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
