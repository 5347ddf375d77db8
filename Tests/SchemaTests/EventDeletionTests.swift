import PostgreSQL
import Synchronization
import TestServers
import Testing

@testable import Schema

struct EventDeletionTests {
    /// An event of project 1, or another, that came some days ago.
    private static func store(
        _ connection: borrowing Connection, project: Int = 1, daysAgo: Int = 0, user: String? = nil,
        logger: String? = nil,
        payload: String = "{}", count: Int = 1
    ) throws {
        let day = "CAST(now() AT TIME ZONE 'UTC' AS date) - \(daysAgo)"
        try connection.execute("SELECT mesher_make_partitions(\(day), \(day))")
        _ = try connection.query(
            """
            INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload,
                user_id, logger)
            SELECT \(project), gen_random_uuid(), at, at, CAST(at AT TIME ZONE 'UTC' AS date), 'error', 'x',
                $1::json, $2, $3
            FROM (SELECT now() - interval '1 day' * \(daysAgo) - n * interval '1 microsecond' AS at
                FROM generate_series(1, \(count)) AS n) AS moments
            WHERE CAST(at AT TIME ZONE 'UTC' AS date) = \(day)
            """, [payload, user, logger])
    }

    private static func deletion(_ subject: EventSelection.Subject, before: Int64? = nil) -> EventDeletion {
        EventDeletion(EventSelection(project: 1, subject, before: before), attempts: 3, pause: { _ in })
    }

    /// The `n` of all payloads that are left, in order.
    private static func left(_ connection: borrowing Connection) throws -> String? {
        try value(connection, "SELECT string_agg(payload ->> 'n', ' ' ORDER BY payload ->> 'n') FROM events")
    }

    @Test("by a user's id go the rows of that user_id, and those without one whose payload says the same")
    func user() throws {
        let connection = try TestDatabase.migrated().open()
        try Self.store(connection, user: "42", payload: #"{"n":"gone 1"}"#)
        try Self.store(connection, daysAgo: 2, payload: #"{"n":"gone 2","user":{"id":42,"email":"a@b.example"}}"#)
        try Self.store(connection, payload: #"{"n":"gone 3","user":{"id":" ","email":"\u0034\u0032"}}"#)
        try Self.store(connection, payload: #"{"n":"gone 4","user":null,"sentry.interfaces.User":{"username":"42"}}"#)
        try Self.store(connection, user: "142", payload: #"{"n":"stays 1"}"#)
        try Self.store(connection, user: "7", payload: #"{"n":"stays 2","user":{"id":42}}"#)
        try Self.store(connection, payload: #"{"n":"stays 3","user":{"id":"7","username":"42"}}"#)
        try Self.store(connection, payload: #"{"n":"stays 4","user":[42],"extra":{"user":{"id":42}}}"#)
        try Self.store(connection, project: 2, user: "42", payload: #"{"n":"stays 5"}"#)

        let deletion = Self.deletion(.user("42"))
        let days = try deletion.count(on: connection)
        #expect(days.map(\.events) == [1, 3])
        #expect(try Self.left(connection)?.contains("gone") == true)
        #expect(try deletion.delete(on: connection) == days)
        #expect(try Self.left(connection) == "stays 1 stays 2 stays 3 stays 4 stays 5")
        #expect(try deletion.delete(on: connection).isEmpty)
    }

    @Test(
        "by an address go the rows whose payload has it where an event has its user's, whatever the case of its letters"
    )
    func email() throws {
        let connection = try TestDatabase.migrated().open()
        for (number, payload) in [
            #""user":{"id":"1","email":"Ann@Example.org"}"#, #""user":{"email":" ann\u0040example.org"}"#,
            #""user_context":{"email":"ann@example.org"}"#, #""sentry.interfaces.User":{"email":"ann@example.org"}"#,
            #""contexts":{"feedback":{"contact_email":"ann@example.org"}}"#,
        ].enumerated() {
            try Self.store(connection, user: "x", payload: #"{"n":"gone \#(number)",\#(payload)}"#)
        }
        try Self.store(connection, logger: "user_report", payload: #"{"n":"gone 5","email":"ann@example.org"}"#)
        try Self.store(connection, payload: #"{"n":"stays 1","email":"ann@example.org"}"#)
        try Self.store(
            connection, payload: #"{"n":"stays 2","message":"ann@example.org","user":{"email":"ann@example.or"}}"#)
        try Self.store(connection, payload: #"{"n":"stays 3","user":"ann@example.org","contexts":[]}"#)

        #expect(try Self.deletion(.email("ANN@example.org")).delete(on: connection).map(\.events) == [6])
        #expect(try Self.left(connection) == "stays 1 stays 2 stays 3")
    }

    @Test("by its id goes one event, and nothing of another project")
    func event() throws {
        let connection = try TestDatabase.migrated().open()
        for project in 1...2 { try Self.store(connection, project: project, daysAgo: 1, count: 3) }
        let id = try #require(
            try value(connection, "SELECT replace(event_id::text, '-', '') FROM events WHERE project_id = 1 LIMIT 1"))
        #expect(try Self.deletion(.event(id)).count(on: connection).map(\.events) == [1])
        #expect(try Self.deletion(.event(id)).delete(on: connection).map(\.events) == [1])
        #expect(try value(connection, "SELECT count(*) FROM events") == "5")
    }

    @Test("a time leaves what came then or later, and combines with a user")
    func before() throws {
        let connection = try TestDatabase.migrated().open()
        for age in 0...3 {
            for user in ["a", "b"] {
                try Self.store(connection, daysAgo: age, user: user, payload: #"{"n":"\#(user)\#(age)"}"#)
            }
        }
        let moment = try #require(
            try value(
                connection,
                "SELECT (extract(epoch FROM max(received_at)) * 1000000)::bigint FROM events WHERE payload ->> 'n' = 'a2'"
            )
            .flatMap { Int64($0) })
        #expect(try Self.deletion(.user("a"), before: moment).delete(on: connection).map(\.events) == [1])
        #expect(try Self.left(connection) == "a0 a1 a2 b0 b1 b2 b3")
        #expect(try Self.deletion(.all, before: moment + 1).delete(on: connection).map(\.events).reduce(0, +) >= 2)
        #expect(try Self.left(connection)?.hasPrefix("a0 a1 b0 b1") == true)
    }

    @Test(
        "days that are held, and days that are detached and not dropped yet, are not left out, and held ones are named")
    func heldAndDetached() throws {
        let connection = try TestDatabase.migrated().open()
        for age in 1...2 { try Self.store(connection, daysAgo: age, user: "a") }
        let held = try Partition.hold(Partition.day(daysAgo: 1, on: connection), true, on: connection)
        try connection.execute(
            "ALTER TABLE events DETACH PARTITION events_\(Partition.day(daysAgo: 2, on: connection))")
        let days = try Self.deletion(.user("a")).delete(on: connection)
        #expect(days.map(\.events) == [1, 1] && days.map(\.isHeld) == [false, true])
        #expect(days.last.map { "events_" + $0.day } == held)
    }

    @Test(
        "no step looks at more rows than its pace says, each is followed by a pause, and rows of one moment stay together"
    )
    func bounded() throws {
        let connection = try TestDatabase.migrated().open()
        try Self.store(connection, daysAgo: 1, user: "a", count: 4_000)
        try connection.execute(
            "UPDATE events SET received_at = (SELECT min(received_at) FROM events) WHERE random() < 0.2")
        let pauses = Mutex<[Int64]>([])
        let deletion = EventDeletion(
            EventSelection(project: 1, .user("a")), pause: { pause in pauses.withLock { $0.append(pause) } })
        var steps: [Int] = []
        let days = try deletion.delete(on: connection) { steps.append($0.examined) }
        #expect(days.map(\.events) == [4_000])
        let sizes = zip(steps, [0] + steps).map { $0 - $1 }
        #expect(sizes.count > 1 && sizes.reduce(0, +) == 4_000)
        #expect(pauses.withLock { $0.count } == sizes.count && pauses.withLock { $0.allSatisfy { $0 > 0 } })
        #expect(try value(connection, "SELECT count(*) FROM events") == "0")
    }

    @Test("a step reads the index on the time of receipt, or the primary key for an id, and sorts nothing")
    func plan() throws {
        let connection = try TestDatabase.migrated().open()
        try Self.store(connection, count: 10)
        let name = "events_" + (try Partition.day(daysAgo: 0, on: connection))
        for (subject, index) in [
            (EventSelection.Subject.all, "received_at_idx"), (.user("a"), "received_at_idx"),
            (.email("a"), "received_at_idx"), (.event(String(repeating: "1", count: 32)), "_pkey"),
        ] {
            let sql = Self.deletion(subject).page(of: name, limit: 100)
            try connection.execute(
                "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; DEALLOCATE ALL")
            try connection.execute("PREPARE page (bigint, bigint, bigint, text) AS \(sql)")
            let value = if case .event(let id) = subject { id } else { "x" }
            let rows = try connection.query("EXPLAIN EXECUTE page(1, 0, 9000000000000000, '\(value)')")
            let plan = (0..<rows.count).compactMap { rows[row: $0, column: 0] }.joined(separator: "\n")
            #expect(plan.contains(index) && !plan.contains("Sort") && !plan.contains("Seq Scan"), "\(plan)")
        }
    }

    @Test("what was interrupted goes on when it is run again, and the session is as before")
    func interrupted() throws {
        let database = try TestDatabase.migrated()
        let connection = try database.open()
        for age in 0...2 { try Self.store(connection, daysAgo: age, user: "a", count: 1_500) }
        let total = try #require(try value(connection, "SELECT count(*) FROM events").flatMap { Int($0) })
        let doomed = try database.open()
        let other = try database.open()
        let backend = try value(doomed, "SELECT pg_backend_pid()")
        #expect(throws: SchemaError.self) {
            try Self.deletion(.user("a")).delete(on: doomed) { _ in
                _ = try? other.query("SELECT pg_terminate_backend($1::int)", [backend])
            }
        }
        let left = try #require(try value(connection, "SELECT count(*) FROM events").flatMap { Int($0) })
        #expect(left > 0 && left < total)
        #expect(try Self.deletion(.user("a")).delete(on: connection).map(\.events).reduce(0, +) == left)
        #expect(try value(connection, "SHOW enable_sort") == "on")
        #expect(try value(connection, "SHOW lock_timeout") == "0")
    }

    @Test("a day that another session has locked is waited for, not for ever")
    func blocked() throws {
        let database = try TestDatabase.migrated()
        let connection = try database.open()
        for age in 1...2 { try Self.store(connection, daysAgo: age, user: "a") }
        let locker = try database.open()
        let backend = try value(locker, "SELECT pg_backend_pid()")
        try locker.execute("BEGIN; LOCK TABLE events_\(Partition.day(daysAgo: 1, on: connection))")
        let impatient = EventDeletion(
            EventSelection(project: 1, .user("a")), lockTimeout: 50, attempts: 2, pause: { _ in })
        #expect(throws: SchemaError.self) { try impatient.delete(on: connection) }
        let patient = EventDeletion(
            EventSelection(project: 1, .user("a")), lockTimeout: 50, attempts: 1_000,
            pause: { _ in _ = try? database.open().query("SELECT pg_terminate_backend($1::int)", [backend]) })
        #expect(try patient.delete(on: connection).map(\.events) == [1])
    }

    @Test("a day that retention drops meanwhile is passed over")
    func dropped() throws {
        let database = try TestDatabase.migrated()
        let connection = try database.open()
        for age in 1...2 { try Self.store(connection, daysAgo: age, user: "a", count: 1_200) }
        let other = try database.open()
        let first = try Partition.day(daysAgo: 2, on: connection)
        let days = try Self.deletion(.user("a")).delete(on: connection) { progress in
            if progress.day == first { _ = try? other.execute("DROP TABLE IF EXISTS events_\(first)") }
        }
        #expect(days.map(\.events) == [500, 1_200])
    }
}
