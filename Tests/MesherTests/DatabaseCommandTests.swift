import PostgreSQL
import Schema
import TestServers
import Testing

struct DatabaseCommandTests {
    @Test("migrate makes schema and partitions, and a second run finds nothing to do")
    func migrate() throws {
        let service = try TestService(isMigrated: false)
        let first = try service.run("db", "migrate")
        #expect(first.status == 0)
        #expect(first.output.hasSuffix("schema version \(Migration.latest), 9 partitions made\n"))
        let second = try service.run("db", "migrate")
        #expect(second.output == "schema version \(Migration.latest), nothing to migrate, 0 partitions made\n")
    }

    @Test("on a newer schema all but migrate goes on, and ends with 78 when a step of it breaks older programs")
    func newer() throws {
        let service = try TestService()
        try service.open().execute(
            "INSERT INTO schema_migrations (version, name) VALUES (\(Migration.latest + 1), 'x')")
        #expect(try service.run("db", "maintain").status == 0)
        try service.open().execute("UPDATE schema_migrations SET breaks = true WHERE name = 'x'")
        for command in [["db", "migrate"], ["db", "maintain"], ["project", "list"]] {
            let run = try Execution.run(Execution.program("mesher"), command, environment: service.environment)
            #expect(run.status == 78)
            #expect(run.errors.contains("schema has version \(Migration.latest + 1), this program knows up to"))
        }
    }

    @Test("maintain makes partitions, and drops those older than MESHER_RETENTION_DAYS")
    func maintain() throws {
        var service = try TestService()
        service.environment["MESHER_RETENTION_DAYS"] = "5"
        try service.open().execute("SELECT mesher_make_partitions(CURRENT_DATE - 8, CURRENT_DATE - 7)")
        let outcome = try #require(try service.json("db", "maintain", "--json") as? [String: Any])
        #expect(outcome["made"] as? Int == 9)
        #expect((outcome["dropped"] as? [String])?.count == 2)
        #expect(try service.run("db", "maintain").output == "0 partitions made, 0 dropped, 0 events deleted\n")
    }

    @Test("distribute needs Citus and a server of it; then it distributes events and claims, once")
    func distribute() throws {
        let service = try TestService()
        let without = try service.run("db", "distribute")
        #expect(without.status == 78 && without.errors.contains("has no Citus"), "\(without.errors)")
        let connection = try service.open()
        try connection.execute(CitusStandIn.sql)
        let alone = try service.run("db", "distribute")
        #expect(alone.status == 78 && alone.errors.contains("citus_add_node"), "\(alone.errors)")
        try connection.execute("INSERT INTO pg_dist_node SELECT 'primary', true, n < 3 FROM generate_series(1, 3) AS n")

        let plan = try service.run("db", "distribute", "--dry-run")
        let tables = ["events", "event_claims"].map { "\($0) by project, about 0 rows\n" }
        #expect(plan.output == "Citus 13.2-1, 2 servers\n" + tables.map { "would distribute \($0)" }.joined())
        let first = try service.run("db", "distribute")
        #expect(first.output == "Citus 13.2-1, 2 servers\n" + tables.map { "distributing \($0)" }.joined())
        let again = try service.run("db", "distribute")
        let done = "events is distributed by project\nevent_claims is distributed by project\n"
        #expect(again.status == 0 && again.output == "Citus 13.2-1, 2 servers\n" + done)
        try connection.execute("SELECT mesher_make_partitions(CURRENT_DATE, CURRENT_DATE)")
        try connection.execute(
            "INSERT INTO pg_dist_partition SELECT inhrelid, 'h' FROM pg_inherits WHERE inhparent = 'events'::regclass")
        let status = try service.run("db", "status")
        #expect(status.output.contains("attached     -  1024"), "\(status)")
    }

    @Test("a day that is held stays however old it is, --dry-run says what would go, and does nothing")
    func hold() throws {
        let service = try TestService()
        #expect(try service.run("db", "hold", "2024-01-02").output.hasPrefix("events_20240102 is held until"))
        try service.open().execute("SELECT mesher_make_partitions('2024-01-01', '2024-01-01')")
        let plan = try service.run("db", "maintain", "--dry-run")
        #expect(plan.output == "would drop 1 partitions, and delete 0 events of others\nwould drop events_20240101\n")
        #expect(try service.run("db", "status").output.contains("events_20240102  attached, held"))
        #expect(try service.run("db", "maintain").output.contains("dropped events_20240101"))
        #expect(try service.run("db", "status").output.contains("events_20240102  attached, held"))
        #expect(try service.run("check").output.contains("90 days, and held: events_20240102"))
        #expect(try service.run("db", "release", "2024-01-02").status == 0)
        #expect(try service.run("db", "maintain").output.contains("dropped events_20240102"))
        for day in ["yesteryear", "2024-02-30", "1969-01-01", "99999-01-01"] {
            let run = try service.run("db", "hold", day)
            #expect(run.status == 65 && run.errors.contains(day), "\(run.errors)")
        }
        #expect(try service.run("db", "release", "2024-01-02").status == 65)
    }

    @Test("maintain drops the oldest days when all are larger than MESHER_RETENTION_SIZE, and says what is held")
    func maintainSize() throws {
        var service = try TestService()
        service.environment["MESHER_RETENTION_SIZE"] = "4"
        let connection = try service.open()
        let noise = "(SELECT json_build_object('x', string_agg(md5(n::text), '')) FROM generate_series(1, 80000) AS n)"
        for age in 0...3 {
            let day = "CURRENT_DATE - \(age)"
            try connection.execute("SELECT mesher_make_partitions(\(day), \(day))")
            try connection.execute(
                """
                INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload)
                SELECT 1, gen_random_uuid(), \(day), \(day), \(day), 'error', 'x', \(noise)
                """)
        }
        func name(_ age: Int) throws -> String {
            try connection.query("SELECT to_char(CURRENT_DATE - \(age), '\"events_\"YYYYMMDD')")[row: 0, column: 0]
                ?? ""
        }
        let held = try name(3)
        #expect(try service.run("db", "hold", "\(held.suffix(8))").status == 0)
        let plan = try service.run("db", "maintain", "--dry-run")
        let lines = [2, 1].map { "would drop \((try? name($0)) ?? ""), for the size of all days\n" }.joined()
        #expect(plan.output.hasPrefix("would drop 2 partitions, and delete 0 events of others\n" + lines), "\(plan)")
        #expect(
            plan.output.contains(
                "MiB larger than MESHER_RETENTION_SIZE: today's is never dropped, nor are held days: \(held)"))
        let report = try #require(try service.json("db", "maintain", "--json") as? [String: Any])
        #expect((report["for_size"] as? [String])?.count == 2 && report["held"] as? [String] == [held])
        #expect(report["excess_bytes"] as? Int ?? 0 > 0)
        #expect(try connection.query("SELECT FROM events").count == 2)
    }

    @Test("a maintain that another keeps out says which session that is")
    func maintainTwice() throws {
        let service = try TestService()
        let other = try service.open()
        // The number of the lock, and Mesher's own space.
        try other.execute("SELECT pg_advisory_lock(1835365224, 3)")
        let run = try service.run("db", "maintain")
        let pid = try other.query("SELECT pg_backend_pid()")[row: 0, column: 0] ?? ""
        #expect(run.status == 75 && run.errors.contains("pid \(pid) (user postgres, application tests"), "\(run)")
        #expect(run.errors.contains("another mesher db maintain is at work"))
    }

    @Test("maintain ends with 75 when a partition is being read, and names it and who reads it")
    func maintainBusy() throws {
        var service = try TestService()
        service.environment["MESHER_RETENTION_DAYS"] = "5"
        let reader = try service.open()
        try reader.execute("SELECT mesher_make_partitions('2024-01-01', '2024-01-01')")
        try reader.execute("BEGIN; SELECT count(*) FROM events_20240101")
        let run = try service.run("db", "maintain")
        #expect(run.status == 75)
        #expect(run.errors.contains("events_20240101"))
        let pid = try reader.query("SELECT pg_backend_pid()")[row: 0, column: 0] ?? ""
        #expect(
            run.errors.contains("blocked by pid \(pid) (user postgres, application tests, in a transaction since 2"),
            "\(run)")
        try reader.execute("COMMIT")
        #expect(try service.run("db", "maintain").output.contains("dropped events_20240101"))
    }

    @Test("status shows the version, with or without a schema, and each partition")
    func status() throws {
        let empty = try TestService(isMigrated: false)
        #expect(try empty.run("db", "status").output.hasPrefix("schema version 0, this program needs"))
        let service = try TestService()
        try service.open().execute("SELECT mesher_make_partitions('2024-01-01', '2024-01-01')")
        let output = try service.run("db", "status").output
        #expect(output.contains("schema version \(Migration.latest)\n"))
        #expect(output.contains("events_20240101  attached"))
    }
}
