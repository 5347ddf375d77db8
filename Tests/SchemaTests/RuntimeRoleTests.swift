import PostgreSQL
import Testing

@testable import Schema

/// The kind of statement by which storage adds an event: not twice, nor when it came on a neighbouring day.
enum Intake {
    static let statement = """
        INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload)
        SELECT $1, $2, now(), now(), $3::date, 'error', 'x', '{}' WHERE NOT EXISTS (
            SELECT 1 FROM events e
            WHERE e.project_id = $1 AND e.event_id = $2 AND e.received_on IN ($3::date - 1, $3::date + 1))
        ON CONFLICT DO NOTHING
        """
}

struct RuntimeRoleTests {
    private static let identifier = "0c7d4f6e-4d5b-4d7e-9b3a-2f6d1c0b9a87"

    @Test("it may add events, each once, and not when it came the day before")
    func addsEvents() throws {
        let database = try TestDatabase.migrated()
        let owner = try database.open()
        _ = try Partition.makeAhead(on: owner)
        let today = try value(owner, "SELECT CAST(now() AT TIME ZONE 'UTC' AS date)")
        let tomorrow = try value(owner, "SELECT CAST(now() AT TIME ZONE 'UTC' AS date) + 1")
        let storage = try database.openAsRuntime()
        #expect(try storage.query(Intake.statement, ["1", Self.identifier, today]).affectedRows == 1)
        #expect(try storage.query(Intake.statement, ["1", Self.identifier, today]).affectedRows == 0)
        #expect(try storage.query(Intake.statement, ["1", Self.identifier, tomorrow]).affectedRows == 0)
        #expect(try storage.query(Intake.statement, ["2", Self.identifier, tomorrow]).affectedRows == 1)
    }

    @Test("it may read keys and limits, listen for their changes, and make partitions")
    func readsKeysAndMakesPartitions() throws {
        let storage = try TestDatabase.migrated().openAsRuntime()
        try storage.execute("SELECT key, label, revoked_at FROM api_keys; SELECT rate_limit_events FROM projects")
        try storage.execute("LISTEN mesher_keys")
        #expect(try value(storage, "SELECT mesher_make_partitions('2024-01-01', '2024-01-02')") == "2")
    }

    @Test(
        "anything else is refused",
        arguments: [
            "SELECT message FROM events", "SELECT payload FROM events", "SELECT count(tags) FROM events",
            "UPDATE events SET level = 'info'", "DELETE FROM events", "TRUNCATE events", "DROP TABLE events",
            "SELECT * FROM organizations", "SELECT * FROM schema_migrations",
            "INSERT INTO api_keys (key, project_id) VALUES ('00000000000000000000000000000000', 1)",
            "UPDATE api_keys SET revoked_at = NULL", "DELETE FROM api_keys",
            "UPDATE projects SET rate_limit_events = 1",
            "SELECT message FROM events_20240101", "INSERT INTO events_20240101 DEFAULT VALUES",
            "CREATE TABLE mine (n int)", "CREATE TABLE events_20240601 (n int)",
            "ALTER TABLE events DETACH PARTITION events_20240101",
        ])
    func nothingElse(statement: String) throws {
        let database = try TestDatabase.migrated()
        try database.open().execute("SELECT mesher_make_partitions('2024-01-01', '2024-01-01')")
        let storage = try database.openAsRuntime()
        let error = #expect(throws: DatabaseError.self) { try storage.execute(statement) }
        #expect(error?.sqlState == "42501")
    }

    @Test("a role that is no member may not even make partitions")
    func outsidersMayNothing() throws {
        let database = try TestDatabase.migrated()
        let outsider = "outsider_\(UInt32.random(in: .min ... .max))"
        try database.open().execute("CREATE ROLE \(outsider) LOGIN")
        let connection = try database.open(as: outsider)
        let error = #expect(throws: DatabaseError.self) {
            try connection.execute("SELECT mesher_make_partitions('2024-01-01', '2024-01-01')")
        }
        #expect(error?.sqlState == "42501")
    }

    @Test("tables of its own temporary schema do not lead the partition maker astray")
    func searchPathIsPinned() throws {
        let database = try TestDatabase.migrated()
        let storage = try database.openAsRuntime()
        try storage.execute(
            """
            CREATE TEMPORARY TABLE pg_class (oid oid, relname text, relnamespace oid);
            CREATE TEMPORARY TABLE events (received_on date);
            SET search_path = pg_temp, public;
            SELECT public.mesher_make_partitions('2024-01-01', '2024-01-01');
            """)
        #expect(try Partition.all(on: database.open()).map(\.name) == ["events_20240101"])
    }
}
