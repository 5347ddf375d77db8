import PostgreSQL
import TestServers
import Testing

@testable import Schema

struct RightsTests {
    @Test(
        "After a restore without owner and privileges a migration as superuser brings both back, and one as owner grants"
    )
    func restored() throws {
        let server = try PostgreSQLServer()
        defer { server.stop() }
        let superuser = try Connection.open(server.url(), applicationName: "tests")
        try superuser.execute("CREATE ROLE owner LOGIN; CREATE ROLE store LOGIN; CREATE ROLE mesher_runtime NOLOGIN")
        try superuser.execute("GRANT mesher_runtime TO store")
        try superuser.execute("CREATE DATABASE owned OWNER owner")
        let owner = try Connection.open(server.url(database: "owned", user: "owner"), applicationName: "tests")
        // What pg_restore --no-owner --no-privileges, run as a superuser, leaves.
        let restorer = try Connection.open(server.url(database: "owned"), applicationName: "tests")
        _ = try Migrator().migrate(restorer)
        _ = try Partition.makeAhead(on: restorer)
        try restorer.execute(
            """
            REVOKE ALL ON ALL TABLES IN SCHEMA public FROM mesher_runtime;
            REVOKE SELECT (project_id, event_id, received_on) ON events FROM mesher_runtime;
            REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM mesher_runtime;
            GRANT ALL ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC
            """)
        let refusal = #expect(throws: SchemaError.self) { try Rights.restore(on: owner) }
        #expect(refusal?.description.contains("names a superuser, which gives them to owner") == true)
        try Rights.restore(on: restorer)
        try Rights.restore(on: owner)
        let owners = try restorer.query(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname ~ '^(events|projects|api_keys)'")
        #expect(owners.count == 1 && owners[row: 0, column: 0] == "owner")
        #expect(try Partition.makeAhead(on: owner) == 0)
        let storage = try Connection.open(server.url(database: "owned", user: "store"), applicationName: "tests")
        try storage.execute("SELECT key FROM api_keys")
        let today = try storage.query("SELECT CAST(now() AT TIME ZONE 'UTC' AS date)")[row: 0, column: 0]
        let id = "0c7d4f6e-4d5b-4d7e-9b3a-2f6d1c0b9a87"
        #expect(try storage.query(Intake.statement, ["1", id, today]).affectedRows == 1)

        // As an owner restores.
        try restorer.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM mesher_runtime")
        #expect(throws: DatabaseError.self) { try storage.execute("SELECT key FROM api_keys") }
        try Rights.restore(on: owner)
        try storage.execute("SELECT key FROM api_keys")
    }

    @Test("A project never gets an id that events have, though the project they came from is no more known")
    func projectIDs() throws {
        let connection = try TestDatabase.migrated().open()
        func next() throws -> String? {
            try ProjectIDs.advance(on: connection)
            return try connection.query(
                """
                INSERT INTO projects (organization_id, slug)
                SELECT id, gen_random_uuid()::text FROM organizations LIMIT 1 RETURNING id
                """)[row: 0, column: 0]
        }
        try connection.execute("INSERT INTO organizations (slug) VALUES ('o') ON CONFLICT DO NOTHING")
        #expect(try next() == "1")
        #expect(try next() == "2")
        _ = try Partition.makeAhead(on: connection)
        let today = try connection.query("SELECT CAST(now() AT TIME ZONE 'UTC' AS date)")[row: 0, column: 0]
        let id = "0c7d4f6e-4d5b-4d7e-9b3a-2f6d1c0b9a87"
        _ = try connection.query(Intake.statement, ["41", id, today])
        #expect(try next() == "42")
        try ProjectIDs.advance(beyond: 99, on: connection)
        #expect(try next() == "100")
    }
}
