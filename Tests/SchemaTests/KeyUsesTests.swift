import PostgreSQL
import Testing

@testable import Schema

struct KeyUsesTests {
    private static let first = String(repeating: "a", count: 32)
    private static let second = String(repeating: "b", count: 32)

    private static func database() throws -> TestDatabase {
        let database = try TestDatabase.migrated()
        try database.open().execute(
            """
            INSERT INTO organizations (slug) VALUES ('o'); INSERT INTO projects (organization_id, slug) VALUES (1, 'p');
            INSERT INTO api_keys (key, project_id) VALUES ('\(first)', 1), ('\(second)', 1)
            """)
        return database
    }

    private static func note(_ connection: borrowing Connection, _ keys: String..., days: Int...) throws {
        _ = try connection.query(
            "SELECT mesher_note_key_uses($1, $2)",
            ["{\(keys.joined(separator: ","))}", "{\(days.map(String.init).joined(separator: ","))}"])
    }

    @Test("A key's last day only goes on, keys that do not exist are left out, and a clock that is ahead counts a day")
    func latest() throws {
        let database = try Self.database()
        let owner = try database.open()
        let storage = try database.openAsRuntime()
        func days() throws -> String? {
            try value(owner, "SELECT string_agg(left(key, 1) || used_on, ' ' ORDER BY key) FROM key_uses")
        }
        let unknown = String(repeating: "c", count: 32)
        try Self.note(storage, Self.second, unknown, Self.first, Self.first, days: 3, 3, 1, 2)
        #expect(try days() == "a1970-01-03 b1970-01-04")
        let version = try value(owner, "SELECT string_agg(xmin::text || xmax, ' ' ORDER BY key) FROM key_uses")
        try Self.note(storage, Self.first, Self.second, days: 1, 3)
        #expect(try value(owner, "SELECT string_agg(xmin::text || xmax, ' ' ORDER BY key) FROM key_uses") == version)
        try Self.note(storage, Self.first, days: 1_000_000)
        let ahead = "SELECT used_on - (now() AT TIME ZONE 'UTC')::date FROM key_uses WHERE key = '\(Self.first)'"
        #expect(try value(owner, ahead) == "1")
    }

    @Test("Noting a use tells nobody that keys have changed, and storage's role may do nothing else with it")
    func quiet() throws {
        let database = try Self.database()
        let owner = try database.open()
        let storage = try database.openAsRuntime()
        try Self.note(storage, Self.first, days: 3)
        #expect(try value(owner, "SELECT count(*) FROM key_uses") == "1")
        #expect(
            try value(
                owner, "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'key_uses'::regclass AND NOT tgisinternal")
                == "0")
        for statement in ["SELECT * FROM key_uses", "DELETE FROM key_uses", "SELECT * FROM project_deletions"] {
            #expect(throws: DatabaseError.self) { try storage.execute(statement) }
        }
    }
}
