import PostgreSQL
import TestServers
import Testing

@testable import Schema

struct MigratorTests {
    @Test("an empty database has version 0, and the latest after migrating")
    func migratesFromNothing() throws {
        let database = try TestDatabase()
        let connection = try database.open()
        #expect(try Migrator().version(of: connection) == 0)
        #expect(try Migrator().migrate(connection).map(\.version) == Array(1...Migration.latest))
        #expect(try Migrator().version(of: connection) == Migration.latest)
        try Migrator().requireLatest(of: connection)
    }

    @Test("the steps are numbered 1, 2, 3, … in order")
    func versionsAreConsecutive() {
        #expect(Migration.all.map(\.version) == Array(1...Migration.latest))
    }

    @Test("migrating again does nothing")
    func migratingTwiceIsANoOp() throws {
        let connection = try TestDatabase.migrated().open()
        #expect(try Migrator().migrate(connection).isEmpty)
    }

    @Test("two who migrate at once run each step once, and both end well")
    func twoAtOnce() async throws {
        let database = try TestDatabase()
        let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<4 {
                group.addTask { try Migrator().migrate(database.open()).map(\.version) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == Array(1...Migration.latest))
    }

    @Test("a step that fails leaves nothing behind, and the steps before it stay")
    func failedStepIsRolledBack() throws {
        let connection = try TestDatabase().open()
        let migrations = [
            Migration(version: 1, name: "good", sql: "CREATE TABLE good (n int)"),
            Migration(version: 2, name: "bad", sql: "CREATE TABLE bad (n int); SELECT 1 / 0"),
        ]
        let error = #expect(throws: SchemaError.self) { try Migrator(migrations).migrate(connection) }
        #expect(error?.description.hasPrefix("migration 2 (bad): ") == true)
        #expect(try Migrator(migrations).version(of: connection) == 1)
        #expect(try value(connection, "SELECT to_regclass('bad') IS NULL AND to_regclass('good') IS NOT NULL") == "t")
    }

    @Test(
        "a database that is newer than the program is not migrated, and refused when a step of it breaks older programs"
    )
    func newerDatabaseIsRefused() throws {
        let connection = try TestDatabase.migrated().open()
        let newer = Migration.latest + 1
        try connection.execute("INSERT INTO schema_migrations (version, name) VALUES (\(newer), 'of tomorrow')")
        let expected = SchemaError.newer(found: newer, known: Migration.latest)
        #expect(throws: expected) { try Migrator().migrate(connection) }
        try Migrator().requireLatest(of: connection)
        #expect(try Migrator().version(of: connection) == newer)
        try connection.execute("UPDATE schema_migrations SET breaks = true WHERE version = \(newer)")
        #expect(throws: expected) { try Migrator().migrate(connection) }
        #expect(throws: expected) { try Migrator().requireLatest(of: connection) }
        #expect(expected.description.contains("version \(newer)"))
    }

    @Test("an older database is refused by who needs the latest, and told how to get there")
    func olderDatabaseIsRefused() throws {
        let connection = try TestDatabase().open()
        let error = #expect(throws: SchemaError.self) { try Migrator().requireLatest(of: connection) }
        #expect(error == .outdated(found: 0, known: Migration.latest))
        #expect(error?.description.hasSuffix("run mesher db migrate") == true)
    }

    @Test("a schema that an older program has made is migrated: its list does not say what breaks")
    func olderList() throws {
        let connection = try TestDatabase.migrated().open()
        try connection.execute("ALTER TABLE schema_migrations DROP COLUMN breaks")
        #expect(try Migrator().version(of: connection) == Migration.latest)
        let next = Migration(version: Migration.latest + 1, name: "next", sql: "SELECT 1", breaks: true)
        #expect(try Migrator(Migration.all + [next]).migrate(connection).map(\.version) == [next.version])
        #expect(throws: SchemaError.newer(found: next.version, known: Migration.latest)) {
            try Migrator().requireLatest(of: connection)
        }
    }

    @Test("a list of steps with a gap is refused")
    func gapIsRefused() throws {
        let connection = try TestDatabase.migrated().open()
        try connection.execute("DELETE FROM schema_migrations WHERE version = 2")
        #expect(throws: SchemaError.inconsistent(found: [1] + (3...Migration.latest))) {
            try Migrator().migrate(connection)
        }
    }

    @Test("a role that may not create mesher_runtime is told who must")
    func missingRoleIsExplained() throws {
        let server = try PostgreSQLServer()
        defer { server.stop() }
        let superuser = try Connection.open(server.url(), applicationName: "tests")
        try superuser.execute("CREATE ROLE owner LOGIN")
        try superuser.execute("CREATE DATABASE owned OWNER owner")
        let connection = try Connection.open(server.url(database: "owned", user: "owner"), applicationName: "tests")
        let error = #expect(throws: SchemaError.self) { try Migrator().migrate(connection) }
        #expect(error?.description.contains("run CREATE ROLE mesher_runtime NOLOGIN, then migrate again") == true)

        try superuser.execute("CREATE ROLE mesher_runtime NOLOGIN")
        #expect(try Migrator().migrate(connection).map(\.version) == Array(4...Migration.latest))
        #expect(try Partition.makeAhead(on: connection) == 9)
    }
}
