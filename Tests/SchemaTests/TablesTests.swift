import PostgreSQL
import TestServers
import Testing

@testable import Schema

struct TablesTests {
    /// A database with an organization and a project, both of id 1.
    private static func connection() throws -> Connection {
        let connection = try TestDatabase.migrated().open()
        try connection.execute(
            "INSERT INTO organizations (slug) VALUES ('o'); INSERT INTO projects (organization_id, slug) VALUES (1, 'p')"
        )
        return connection
    }

    @Test(
        "a value out of range is refused",
        arguments: [
            "INSERT INTO organizations (slug) VALUES ('12')", "INSERT INTO organizations (slug) VALUES ('-a')",
            "INSERT INTO organizations (slug) VALUES ('Upper')",
            "INSERT INTO organizations (slug) VALUES (repeat('a', 64))",
            "INSERT INTO projects (organization_id, slug) VALUES (1, '7')",
            "INSERT INTO projects (organization_id, slug) VALUES (1, '')",
            "UPDATE projects SET rate_limit_events = 0", "UPDATE projects SET rate_limit_events = 1000000001",
            "UPDATE projects SET rate_limit_seconds = 86401", "UPDATE projects SET retention_days = 0",
            "INSERT INTO api_keys (key, project_id) VALUES (repeat('A', 32), 1)",
            "INSERT INTO api_keys (key, project_id) VALUES (repeat('a', 31), 1)",
            "INSERT INTO api_keys (key, project_id) VALUES (repeat('a', 32) || E'\\n', 1)",
        ])
    func refusesValues(statement: String) throws {
        let connection = try Self.connection()
        let error = #expect(throws: DatabaseError.self) { try connection.execute(statement) }
        #expect(error?.sqlState == "23514")
    }

    @Test("two projects cannot have one slug, nor two keys be the same")
    func refusesDuplicates() throws {
        let connection = try Self.connection()
        for statement in [
            "INSERT INTO projects (organization_id, slug) VALUES (1, 'p')",
            "INSERT INTO api_keys (key, project_id) VALUES (repeat('a', 32), 1), (repeat('a', 32), 1)",
        ] {
            let error = #expect(throws: DatabaseError.self) { try connection.execute(statement) }
            #expect(error?.sqlState == "23505")
        }
    }

    @Test("the latest events of a project are found by an index")
    func latestEventsUseTheIndex() throws {
        let connection = try Self.connection()
        _ = try Partition.makeAhead(on: connection)
        try connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        let plan = try connection.query(
            "EXPLAIN SELECT event_id FROM events WHERE project_id = 1 ORDER BY received_at DESC LIMIT 5")
        let lines = (0..<plan.count).compactMap { plan[row: $0, column: 0] }
        #expect(lines.contains { $0.contains("project_id_received_at_idx") })
        #expect(!lines.contains { $0.contains("Seq Scan") })
    }

    @Test("every change of keys and projects is told to mesher_keys, with the project's id")
    func notifiesChanges() throws {
        let database = try TestDatabase.migrated()
        let script = """
            \\set VERBOSITY terse
            LISTEN mesher_keys;
            INSERT INTO organizations (slug) VALUES ('o');
            INSERT INTO projects (organization_id, slug) VALUES (1, 'p1'), (1, 'p2');
            INSERT INTO api_keys (key, project_id) VALUES (repeat('a', 32), 1);
            UPDATE api_keys SET revoked_at = now();
            UPDATE api_keys SET project_id = 2;
            DELETE FROM api_keys;
            UPDATE projects SET rate_limit_events = 5 WHERE id = 1;
            DELETE FROM projects WHERE id = 2;
            """
        let url = database.server.url(database: database.name)
        let run = try Execution.run("/usr/bin/psql", ["--no-psqlrc", "--quiet", url], input: script)
        let payloads = run.output.split(separator: "\n").compactMap { line -> Substring? in
            guard line.hasPrefix("Asynchronous notification \"mesher_keys\" with payload \"") else { return nil }
            return line.split(separator: "\"")[3]
        }
        #expect(payloads == ["1", "2", "1", "1", "1", "2", "2", "1", "2"])
    }
}
