import Foundation
import PostgreSQL
import Synchronization
import TestServers
import Testing

@testable import Schema

struct RetentionTests {
    /// A database with partitions for the last days, and one event in each of them.
    private static func database(days: Int) throws -> TestDatabase {
        let database = try TestDatabase.migrated()
        let connection = try database.open()
        _ = try Partition.makeAhead(on: connection)
        for age in 0...days {
            let day = "CAST(now() AT TIME ZONE 'UTC' AS date) - \(age)"
            try connection.execute("SELECT mesher_make_partitions(\(day), \(day))")
            try insertEvent(connection, on: day)
        }
        return database
    }

    private static func name(daysAgo days: Int, on connection: borrowing Connection) throws -> String {
        "events_" + (try Partition.day(daysAgo: days, on: connection))
    }

    private static let brief = Retention(days: 2, lockTimeout: 50, attempts: 2)

    @Test("whole days older than the retention are dropped, and no other", arguments: [false, true])
    func dropsOldDays(onCitus: Bool) throws {
        let connection = try Self.database(days: 4).open()
        if onCitus { try connection.execute(CitusStandIn.sql) }
        let outcome = try Self.brief.apply(on: connection)
        #expect(
            try outcome.dropped == [
                Self.name(daysAgo: 4, on: connection), Self.name(daysAgo: 3, on: connection),
            ])
        #expect(outcome.busy.isEmpty && outcome.deleted == 0)
        #expect(try value(connection, "SELECT count(*) FROM events") == "3")
        #expect(try Partition.all(on: connection).count == 10)
        #expect(try Self.brief.apply(on: connection) == Retention.Outcome())
    }

    @Test(
        "a project with a shorter retention loses its events by deletion, others keep theirs", arguments: [false, true])
    func deletesForProjects(onCitus: Bool) throws {
        let connection = try Self.database(days: 2).open()
        if onCitus { try connection.execute(CitusStandIn.sql) }
        try connection.execute(
            """
            INSERT INTO organizations (slug) VALUES ('o');
            INSERT INTO projects (organization_id, slug, retention_days)
            SELECT o.id, p.slug, p.days FROM organizations o, (VALUES ('long', 100), ('brief', 1)) AS p (slug, days);
            """)
        let brief = try #require(
            try value(connection, "SELECT id FROM projects WHERE slug = 'brief'").flatMap { Int($0) })
        for age in 0...2 {
            let day = "CAST(now() AT TIME ZONE 'UTC' AS date) - \(age)"
            for _ in 0..<2 { try insertEvent(connection, project: brief, on: day) }
        }
        let held = try Partition.hold(Partition.day(daysAgo: 2, on: connection), true, on: connection)
        #expect(try Self.brief.plan(on: connection) == Retention.Outcome())
        #expect(try Self.brief.apply(on: connection) == Retention.Outcome(), "\(held) is held")
        _ = try Partition.hold(Partition.day(daysAgo: 2, on: connection), false, on: connection)
        #expect(try Self.brief.plan(on: connection) == Retention.Outcome(deleted: 2))
        let outcome = try Self.brief.apply(on: connection)
        #expect(outcome == Retention.Outcome(deleted: 2))
        #expect(try value(connection, "SELECT count(*) FROM events WHERE project_id = \(brief)") == "4")
        #expect(try value(connection, "SELECT count(*) FROM events WHERE project_id <> \(brief)") == "3")
    }

    @Test("a partition that is being read is left half detached, and finished by the next run")
    func busyPartitionIsFinishedLater() throws {
        let database = try Self.database(days: 4)
        let connection = try database.open()
        let reader = try database.open()
        try reader.execute("BEGIN; SELECT count(*) FROM \(Self.name(daysAgo: 4, on: connection))")

        let first = try Self.brief.apply(on: connection)
        #expect(first.dropped.isEmpty)
        #expect(
            try first.busy == [Self.name(daysAgo: 4, on: connection), Self.name(daysAgo: 3, on: connection)])
        #expect(try Partition.all(on: connection).first?.state == .detachPending)

        try reader.execute("COMMIT")
        #expect(try Self.brief.apply(on: connection).dropped == first.busy)
    }

    @Test("a partition that stands half detached is finished when its day is needed again")
    func halfDetachedIsNeededAgain() throws {
        let database = try Self.database(days: 4)
        let connection = try database.open()
        let reader = try database.open()
        try reader.execute("BEGIN; SELECT count(*) FROM \(Self.name(daysAgo: 4, on: connection))")
        _ = try Self.brief.apply(on: connection)
        try reader.execute("COMMIT")
        let day = "CAST(now() AT TIME ZONE 'UTC' AS date) - 4"
        #expect(try value(connection, "SELECT mesher_make_partitions(\(day), \(day))") == "1")
        #expect(try value(connection, "SELECT count(*) FROM events") == "5")
    }

    @Test("a table that was detached and not dropped is dropped by the next run; a stranger's of such a name is not")
    func dropsDetached() throws {
        let connection = try Self.database(days: 4).open()
        let old = try Self.name(daysAgo: 4, on: connection)
        try connection.execute("ALTER TABLE events DETACH PARTITION \(old)")
        let stranger = "stranger_\(UInt32.random(in: .min ... .max))"
        try connection.execute("CREATE ROLE \(stranger); CREATE TABLE events_20200101 (n int)")
        try connection.execute("ALTER TABLE events_20200101 OWNER TO \(stranger)")
        #expect(try Self.brief.apply(on: connection).dropped.contains(old))
        #expect(try value(connection, "SELECT to_regclass('events_20200101') IS NOT NULL") == "t")
    }

    @Test("intake, with its look at the neighbouring days, goes on while retention waits for a long select")
    func longSelectNeverStallsIntake() throws {
        let database = try Self.database(days: 4)
        let connection = try database.open()
        let reader = try database.open()
        try reader.execute("BEGIN; SELECT count(*) FROM \(Self.name(daysAgo: 4, on: connection))")
        // Beside the long select of one day, one of everything.
        let analyst = try database.open()
        try analyst.execute("BEGIN; SELECT count(*) FROM events")

        let storage = try database.openAsRuntime()
        try storage.execute("SET plan_cache_mode = force_generic_plan; SET lock_timeout = '20s'")
        try storage.execute("PREPARE store (bigint, uuid, date) AS \(Intake.statement)")

        let isDone = Mutex(false)
        Thread.detachNewThread {
            // Longer than intake would wait for it.
            _ = try? Retention(days: 2, lockTimeout: 60_000, attempts: 1).apply(on: database.open())
            isDone.withLock { $0 = true }
        }
        let waits = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%DETACH%'
            """
        var stored = 0
        var storedDuringWait = 0
        while !isDone.withLock({ $0 }), storedDuringWait < 10 {
            let isWaiting = try value(connection, waits) == "1"
            try storage.execute(
                "EXECUTE store (1, gen_random_uuid(), CAST(now() AT TIME ZONE 'UTC' AS date))")
            stored += 1
            if try isWaiting && value(connection, waits) == "1" { storedDuringWait += 1 }
        }
        #expect(storedDuringWait == 10)
        try reader.execute("COMMIT")
        try analyst.execute("COMMIT")
        #expect(eventually { isDone.withLock { $0 } })
        #expect(try value(connection, "SELECT count(*) >= \(stored) FROM events") == "t")
    }

    @Test("ids claimed at the midnights of three days ago and before go, those of two days ago stay")
    func dropsClaims() throws {
        let connection = try Self.database(days: 0).open()
        try connection.execute(
            """
            INSERT INTO event_claims (project_id, event_id, midnight)
            SELECT age, gen_random_uuid(), CAST(now() AT TIME ZONE 'UTC' AS date) - age FROM generate_series(-1, 5) AS age
            """)
        #expect(try Self.brief.apply(on: connection) == Retention.Outcome())
        #expect(
            try value(connection, "SELECT string_agg(project_id::text, ' ' ORDER BY project_id) FROM event_claims")
                == "-1 0 1 2")
    }

    @Test("of two that run at once the second is refused")
    func onlyOneAtOnce() throws {
        let database = try Self.database(days: 0)
        let other = try database.open()
        try other.execute("SELECT pg_advisory_lock(\(AdvisoryLock.space), \(AdvisoryLock.retention))")
        let connection = try database.open()
        #expect(throws: SchemaError.maintained) { try Self.brief.apply(on: connection) }
        try other.execute("SELECT pg_advisory_unlock_all()")
        #expect(try Self.brief.apply(on: connection) == Retention.Outcome())
    }
}
