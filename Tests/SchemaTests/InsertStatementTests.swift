import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

@testable import Schema

@Suite struct InsertStatementTests {
    private static let mandatory: Set = [
        "project_id", "event_id", "received_at", "timestamp", "received_on", "level", "message", "payload",
    ]

    @Test("the columns are those of the record, in its order, and all the table has")
    func columns() throws {
        let connection = try database()
        let rows = try connection.query(
            """
            SELECT attname, a.atttypid::text, t.typarray::text, attnotnull FROM pg_attribute a
            JOIN pg_type t ON t.oid = a.atttypid
            WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """)
        #expect(rows.count == EventRecord.Column.allCases.count)
        for (row, column) in InsertStatement.columns.enumerated() {
            #expect(rows[row: row, column: 0] == column.name)
            #expect(rows[row: row, column: 1] == String(column.element))
            #expect(rows[row: row, column: 2] == String(column.array))
            // A release that does not know a column yet stores its rows without it.
            let isFirst = EventRecord.Column.allCases[row].declaration.since == 1
            #expect(rows[row: row, column: 3] == (isFirst && Self.mandatory.contains(column.name) ? "t" : "f"))
        }
    }

    /// The session makes its plan before it is known how partitions grow: nothing in it may depend on their size.
    @Test("neighbours are looked for in the primary keys of two partitions, whether they are empty or full")
    func plan() throws {
        let connection = try database()
        try connection.execute("SELECT mesher_make_partitions('2026-01-01', '2026-02-28')")
        try connection.execute(InsertStatement.sessionSettings)
        let types = InsertStatement.parameterTypes.map { "\($0)::regtype" }.joined(separator: ", ")
        let names = try connection.query("SELECT concat_ws(', ', \(types))")[row: 0, column: 0] ?? ""
        // Day 9498 is 2026-01-02.
        try connection.execute("PREPARE insert_events (\(names)) AS \(InsertStatement.sql(day: 9498))")
        let empty = try explain(connection)
        try connection.execute(
            """
            INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload)
            SELECT 1, gen_random_uuid(), now(), now(), date '2026-01-01', 'error', 'x', '{}'
            FROM generate_series(1, 20000);
            ANALYZE events
            """)
        let full = try explain(connection)
        for plan in [empty, full] {
            let scans = plan.matches(of: /Index Only Scan using events_(\d{8})_pkey .*\n *Index Cond: (.*)/)
            #expect(Set(scans.map(\.output.1)) == ["20260101", "20260103"], "\(plan)")
            #expect(scans.allSatisfy { $0.output.2.contains("project_id = n") && $0.output.2.contains("event_id = n") })
            #expect(plan.ranges(of: "Scan").count == 3, "and the events themselves")
            #expect(!plan.contains("Join"))
        }
    }

    /// Citus' own planner is not asked; what the statement stores is.
    @Test("the statement for Citus stores what the other one stores", arguments: [true, false])
    func citus(claims: Bool) throws {
        let forms = try [true, false].map { isForCitus in
            let connection = try database()
            try connection.execute("SELECT mesher_make_partitions('2026-01-01', '2026-01-05')")
            try connection.execute(InsertStatement.sessionSettings)
            // Some ids again and again: in one batch, on the same day, on neighbouring ones and on others, of two projects.
            for batch in 0..<60 {
                let day = 1 + batch * 7 % 5
                let events = (0..<batch % 6).map { (project: 1 + $0 % 2, id: (batch * 5 + $0 * $0 * 3) % 17) }
                let time = "2026-01-0\(day) \(batch % 3 == 0 ? "23:59:30" : "00:00:30")"
                try Self.insert(
                    events, day: 9_496 + Int32(day), at: time, claims: claims, isForCitus: isForCitus, connection)
            }
            let rows = try connection.query(
                "SELECT concat_ws(' ', project_id, event_id, received_at) FROM events ORDER BY 1")
            return (0..<rows.count).compactMap { rows[row: $0, column: 0] }
        }
        #expect(forms[0] == forms[1])
        #expect((17...170).contains(forms[0].count))
    }

    private static func insert(
        _ events: [(project: Int, id: Int)], day: Int32, at time: String, claims: Bool, isForCitus: Bool,
        _ connection: borrowing Connection
    ) throws {
        let values: [String: (Int) -> String] = [
            "project_id": { "\(events[$0].project)" },
            "event_id": { "00000000-0000-0000-0000-0000000000\(10 + events[$0].id)" },
            "received_at": { _ in "\"\(time)+00\"" }, "timestamp": { _ in "\"\(time)+00\"" },
            "received_on": { _ in String(time.prefix(10)) }, "level": { _ in "error" }, "message": { _ in "m" },
            "payload": { _ in "1" },
        ]
        let arrays = InsertStatement.columns.map { column in
            "{\(events.indices.map { values[column.name]?($0) ?? "NULL" }.joined(separator: ","))}"
        }
        _ = try connection.query(
            InsertStatement.sql(day: day, claims: claims, isForCitus: isForCitus), arrays,
            types: InsertStatement.parameterTypes)
    }

    @Test(
        "an id that two sessions store at the same moment under different days is stored once when it is claimed",
        arguments: [(true, false), (true, true), (false, false)])
    func claims(claims: Bool, isForCitus: Bool) throws {
        let database = try TestDatabase.migrated()
        let first = try database.open()
        try first.execute("SELECT mesher_make_partitions('2026-01-01', '2026-01-04')")
        try first.execute("BEGIN")
        try Self.insert(
            [(1, 1)], day: 9_498, at: "2026-01-02 23:59:59", claims: claims, isForCitus: isForCitus, first)
        let isOver = DispatchSemaphore(value: 0)
        let url = database.server.url(database: database.name)
        DispatchQueue.global().async {
            defer { isOver.signal() }
            do {
                let second = try Connection.open(url, applicationName: "second")
                try Self.insert(
                    [(1, 1)], day: 9_499, at: "2026-01-03 00:00:01", claims: claims, isForCitus: isForCitus, second)
            } catch { Issue.record(error) }
        }
        // The second one waits for the first when it looks at the claim, else it is over.
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'second' AND wait_event_type = 'Lock'"
        let observer = try database.open()
        _ = try eventually { try value(observer, waits) == "1" || !claims }
        if !claims { isOver.wait() }
        try first.execute("COMMIT")
        if claims { isOver.wait() }
        #expect(try value(observer, "SELECT count(*) FROM events") == (claims ? "1" : "2"))
    }

    private func database() throws -> Connection {
        let server = try PostgreSQLServer.shared.get()
        let connection = try Connection.open(
            server.url(database: server.createDatabase()), applicationName: "tests")
        _ = try Migrator().migrate(connection)
        return connection
    }

    private func explain(_ connection: borrowing Connection) throws -> String {
        let arrays = InsertStatement.columns.map { _ in "'{}'" }.joined(separator: ", ")
        let rows = try connection.query(
            "EXPLAIN (COSTS OFF) EXECUTE insert_events (\(arrays))")
        return (0..<rows.count).compactMap { rows[row: $0, column: 0] }.joined(separator: "\n")
    }
}
