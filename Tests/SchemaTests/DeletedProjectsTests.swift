import PostgreSQL
import Testing

@testable import Schema

struct DeletedProjectsTests {
    /// Projects 1, 2 and 3, each with a key.
    private static func database() throws -> TestDatabase {
        let database = try TestDatabase.migrated()
        let owner = try database.open()
        try owner.execute(
            """
            INSERT INTO organizations (slug) VALUES ('o');
            INSERT INTO projects (organization_id, slug) SELECT 1, 'p' || n FROM generate_series(1, 3) AS n;
            INSERT INTO api_keys (key, project_id) SELECT md5(id::text), id FROM projects;
            SELECT mesher_note_key_uses(ARRAY(SELECT key FROM api_keys), ARRAY[3, 3, 3]);
            SELECT mesher_make_partitions('2026-03-01', '2026-03-03')
            """)
        return database
    }

    @Test("A deleted project is gone with its keys, is told to storage, and nobody gets its id")
    func add() throws {
        let database = try Self.database()
        let connection = try database.open()
        #expect(try DeletedProjects.add(3, on: connection))
        #expect(try value(connection, "SELECT string_agg(slug, ' ' ORDER BY id) FROM projects") == "p1 p2")
        #expect(try value(connection, "SELECT count(*) FROM api_keys") == "2")
        #expect(try value(connection, "SELECT count(*) FROM key_uses") == "2")
        #expect(try DeletedProjects.all(on: connection) == [.init(id: 3, slug: "p3")])
        #expect(try !DeletedProjects.add(3, on: connection))
        #expect(try !DeletedProjects.add(99, on: connection))
        #expect(try DeletedProjects.all(on: connection).count == 1)
        // As after a restore without sequences.
        try connection.execute("SELECT setval(pg_get_serial_sequence('projects', 'id'), 1)")
        try ProjectIDs.advance(on: connection)
        let next = "INSERT INTO projects (organization_id, slug) VALUES (1, 'p3') RETURNING id"
        #expect(try value(connection, next) == "4")
    }

    @Test(
        "Only events of deleted projects are deleted, of held and detached days too, and those that come later next time"
    )
    func events() throws {
        let connection = try Self.database().open()
        for project in 1...3 {
            for day in 1...3 { try insertEvent(connection, project: project, on: "'2026-03-0\(day)'") }
        }
        _ = try Partition.hold("2026-03-01", true, on: connection)
        try connection.execute("ALTER TABLE events DETACH PARTITION events_20260302")
        #expect(try DeletedProjects.withEvents(on: connection).isEmpty)
        for project in [1, 3] { #expect(try DeletedProjects.add(Int64(project), on: connection)) }
        let left = try DeletedProjects.withEvents(on: connection)
        #expect(left.map(\.id) == [1, 3])
        #expect(try DeletedProjects.deleteEvents(of: left, on: connection) == 6)
        #expect(try value(connection, "SELECT string_agg(DISTINCT project_id::text, ' ') FROM events") == "2")
        #expect(try value(connection, "SELECT string_agg(project_id::text, ' ') FROM events_20260302") == "2")
        #expect(try DeletedProjects.withEvents(on: connection).isEmpty)
        try insertEvent(connection, project: 3, on: "'2026-03-01'")
        #expect(try DeletedProjects.withEvents(on: connection).map(\.id) == [3])
    }

    @Test("A project that a backup has brought back is left alone")
    func restored() throws {
        let connection = try Self.database().open()
        #expect(try DeletedProjects.add(1, on: connection))
        try insertEvent(connection, project: 1, on: "'2026-03-01'")
        try connection.execute(
            "INSERT INTO projects (id, organization_id, slug) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'p1')")
        #expect(try DeletedProjects.withEvents(on: connection).isEmpty)
        // It can be deleted again.
        #expect(try DeletedProjects.add(1, on: connection))
        #expect(try DeletedProjects.withEvents(on: connection).map(\.slug) == ["p1"])
    }

    @Test("Two sessions don't delete the same events")
    func locked() throws {
        let database = try Self.database()
        let connection = try database.open()
        let other = try database.open()
        try other.execute("SELECT pg_advisory_lock(\(AdvisoryLock.space), \(AdvisoryLock.deletions))")
        #expect(try DeletedProjects.deleteEvents(of: [.init(id: 1, slug: "p1")], on: connection) == nil)
        try other.execute("SELECT pg_advisory_unlock_all()")
        #expect(try DeletedProjects.deleteEvents(of: [.init(id: 1, slug: "p1")], on: connection) == 0)
    }
}
