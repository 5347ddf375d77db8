import PostgreSQL
import Schema
import TestServers

/// A database of its own for one test.
struct TestDatabase {
    let server: PostgreSQLServer
    let name: String

    /// An empty one, on the server that the tests share.
    init() throws {
        server = try PostgreSQLServer.shared.get()
        name = try server.createDatabase()
    }

    /// One with the whole schema.
    static func migrated() throws -> TestDatabase {
        let database = try TestDatabase()
        _ = try Migrator().migrate(database.open())
        return database
    }

    func open(as user: String = "postgres") throws -> Connection {
        try Connection.open(server.url(database: name, user: user), applicationName: "tests")
    }

    /// The URL of a login role that is a member of `mesher_runtime`, as storage's is.
    func openAsRuntime() throws -> Connection {
        let owner = try open()
        let role = "storage_\(UInt32.random(in: .min ... .max))"
        try owner.execute("CREATE ROLE \(role) LOGIN IN ROLE mesher_runtime")
        return try open(as: role)
    }
}

/// The only value of a query that returns one.
func value(_ connection: borrowing Connection, _ sql: String, _ parameters: [String?] = []) throws -> String? {
    let rows = try connection.query(sql, parameters)
    return rows.count == 1 ? rows[row: 0, column: 0] : nil
}

/// An event of a project that came on a day.
func insertEvent(
    _ connection: borrowing Connection, project: Int = 1, on day: String = "CAST(now() AT TIME ZONE 'UTC' AS date)"
) throws {
    try connection.execute(
        """
        INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload)
        SELECT \(project), gen_random_uuid(), day, day, day, 'error', 'x', '{}' FROM CAST(\(day) AS date) AS day
        """)
}
