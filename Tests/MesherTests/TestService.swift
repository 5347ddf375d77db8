import Foundation
import PostgreSQL
import Schema
import TestServers

/// A database for one test, and the command line that is pointed at it.
struct TestService {
    let server: PostgreSQLServer
    let database: String
    var environment: [String: String]

    /// - Parameter isMigrated: whether there is a schema in it.
    init(isMigrated: Bool = true) throws {
        server = try PostgreSQLServer.shared.get()
        database = try server.createDatabase()
        environment = [
            "MESHER_DATABASE_URL": server.url(database: database), "MESHER_PUBLIC_URL": "http://intake.example:8080",
            "MESHER_SPOOL_DIR": "/tmp/mesher-unused.\(UInt32.random(in: .min ... .max))",
        ]
        if isMigrated { _ = try Migrator().migrate(open()) }
    }

    func open() throws -> Connection {
        try Connection.open(server.url(database: database), applicationName: "tests")
    }

    /// Runs `mesher` to its end.
    func run(_ arguments: String...) throws -> Execution {
        try run(arguments)
    }

    func run(_ arguments: [String]) throws -> Execution {
        try Execution.run(Execution.program("mesher"), arguments, environment: environment)
    }

    /// Runs `mesher`, which must succeed, and reads the JSON it prints.
    func json(_ arguments: String...) throws -> Any {
        let run = try Execution.run(Execution.program("mesher"), arguments, environment: environment)
        guard run.status == 0 else { throw Failed(description: "\(arguments): \(run.status): \(run.errors)") }
        return try JSONSerialization.jsonObject(with: Data(run.output.utf8))
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }
}

extension TestService {
    /// Adds a project, `p1` and so on, and returns its key.
    func addProject() throws -> String {
        let key = String(UInt128.random(in: UInt128.max / 2...UInt128.max), radix: 16)
        _ = try open().query(
            """
            WITH organization AS (
                INSERT INTO organizations (slug) VALUES ('tests')
                ON CONFLICT (slug) DO UPDATE SET slug = 'tests' RETURNING id
            ), project AS (
                INSERT INTO projects (organization_id, slug)
                SELECT id, 'p' || (SELECT count(*) + 1 FROM projects) FROM organization RETURNING id
            )
            INSERT INTO api_keys (key, project_id) SELECT $1, id FROM project
            """, [key])
        return key
    }

    /// Stores an event of a project.
    ///
    /// - Parameter age: how many seconds ago it came.
    func store(
        project: Int = 1, id: String? = nil, age: Int = 0, level: String = "error", message: String = "boom",
        payload: String = "{}"
    ) throws {
        let connection = try open()
        try connection.execute("SELECT mesher_make_partitions(CURRENT_DATE - 2, CURRENT_DATE + 2)")
        _ = try connection.query(
            """
            INSERT INTO events
                (project_id, event_id, received_at, "timestamp", received_on, level, message, payload, tags)
            SELECT $1, coalesce($2::uuid, gen_random_uuid()), at, at, CAST(at AT TIME ZONE 'UTC' AS date), $4, $5,
                $6::json, '{"a": "b"}'
            FROM CAST(now() - make_interval(secs => $3::int) AS timestamptz) AS at
            """, [String(project), id, String(age), level, message, payload])
    }
}
