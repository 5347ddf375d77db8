import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

@testable import mesher

/// That the commands store events as storage does.
@Suite struct EventDeliveryTests {
    private let spool = TestSpool()
    /// The last second of 2026-01-02.
    private static let nearMidnight = 9_499 * EventRecord.day - 1_000_000

    private func environment(_ service: TestService) -> [String: String] {
        [
            "MESHER_SPOOL_DIR": spool.path, "MESHER_STATE_DIR": spool.path,
            "MESHER_STORAGE_DATABASE_URL": service.server.url(database: service.database),
        ]
    }

    @Test(
        "an id that a host whose clock says the next day is storing at the same moment is stored once",
        arguments: [["spool", "drain"], ["quarantine", "retry", "--all"]])
    func claims(command: [String]) throws {
        let service = try TestService()
        try spool.keepKeys(of: [1: service.addProject()])
        let record = TestSpool.record(id: 0xab, moment: Self.nearMidnight)
        if command[0] == "spool" { try spool.store([record]) } else { try spool.setAside(record, sqlState: "P0001") }
        let host = try service.open()
        try host.execute("SELECT mesher_make_partitions('2026-01-01', '2026-01-04')")
        try host.execute(
            """
            BEGIN;
            INSERT INTO event_claims VALUES (1, '000000000000000000000000000000ab', '2026-01-03');
            INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload)
            VALUES (1, '000000000000000000000000000000ab', '2026-01-03 00:00:01+00', '2026-01-03 00:00:01+00',
                '2026-01-03', 'error', 'the other host', '{}')
            """)
        let running = try Execution.Running(
            Execution.program("mesher"), command, environment: environment(service))
        let waits = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mesher'
            AND wait_event_type = 'Lock'
            """
        let observer = try service.open()
        #expect(try eventually { try observer.query(waits)[row: 0, column: 0] == "1" || !running.isRunning })
        try host.execute("COMMIT")
        let result = running.wait()
        #expect(result.status == 0, "\(result.errors)")
        let rows = try observer.query("SELECT count(*), min(message) FROM events")
        #expect(rows[row: 0, column: 0] == "1" && rows[row: 0, column: 1] == "the other host")
    }

    @Test("an id is claimed only near a midnight, and not where that is switched off or the schema has no claims")
    func withoutClaims() throws {
        let service = try TestService()
        try spool.keepKeys(of: [1: service.addProject()])
        let owner = try service.open()
        func claimed() throws -> String? { try owner.query("SELECT count(*) FROM event_claims")[row: 0, column: 0] }
        func drain(_ id: UInt128, _ settings: [String: String] = [:], moment: Int64 = Self.nearMidnight) throws {
            try spool.store([TestSpool.record(id: id, moment: moment)])
            let environment = environment(service).merging(settings) { _, given in given }
            let result = try Execution.run(Execution.program("mesher"), ["spool", "drain"], environment: environment)
            #expect(result.output == "delivered 1 events, set aside 0\n", "\(result.errors)")
        }
        try drain(1, moment: Self.nearMidnight - EventRecord.day / 2)
        try drain(2, ["MESHER_MIDNIGHT_MARGIN": "0"])
        #expect(try claimed() == "0")
        try drain(3)
        #expect(try claimed() == "1")
        try owner.execute("DROP TABLE event_claims")
        try drain(4)
        #expect(try owner.query("SELECT count(*) FROM events")[row: 0, column: 0] == "4")
    }

    @Test("where partitions cannot be made for now nothing is set aside, and the reason is told")
    func noPartition() throws {
        let service = try TestService()
        try spool.keepKeys(of: [1: service.addProject()])
        try spool.store([TestSpool.record(id: 1)])
        let host = try service.open()
        try host.execute("BEGIN; LOCK TABLE events IN SHARE UPDATE EXCLUSIVE MODE")
        func drain() throws -> Execution {
            try Execution.run(Execution.program("mesher"), ["spool", "drain"], environment: environment(service))
        }
        let blocked = try drain()
        #expect(blocked.status == 75 && blocked.errors.contains("55P03"), "\(blocked.errors)")
        try host.execute("COMMIT")
        #expect(try drain().output == "delivered 1 events, set aside 0\n")
    }
}
