import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

/// Whether an event or PostgreSQL is at fault, with a real PostgreSQL in which either is.
@Suite struct BlameTests {
    private func events(_ count: Int, from first: Int = 0) -> [TestEvent] {
        (first..<first + count).map { TestEvent(ticket: UInt64($0), project: 3, eventID: UInt128($0 + 1)) }
    }

    private func count(_ storage: StorageProcess) throws -> Int {
        try storage.value("SELECT count(*) FROM events").flatMap { Int($0) } ?? 0
    }

    /// SQL for a trigger before each row of `events` that meets a condition.
    private static func trigger(_ body: String, when condition: String = "true") -> String {
        """
        CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \(body); RETURN NEW; END $$;
        CREATE TRIGGER act BEFORE INSERT ON events FOR EACH ROW WHEN (\(condition)) EXECUTE FUNCTION act();
        """
    }

    /// Codes of a server that takes no row, or of a trigger that refuses each, which look like those of a bad event.
    @Test(
        "what PostgreSQL refuses with every other row is nobody's fault: it waits on disk, and the state is told",
        arguments: ["54000", "P0001", "23505", "22003"])
    func refusesAll(sqlState: String) throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        #expect(edge.store(events(3)).allSatisfy { $0 == .durable })
        let owner = try storage.open()
        try owner.execute(Self.trigger("RAISE SQLSTATE '\(sqlState)' USING MESSAGE = 'no row any more'"))
        var refused = events(20, from: 3)
        for place in refused.indices where place % 2 == 0 { refused[place].flags = 3 }
        #expect(edge.store(refused).allSatisfy { $0 == .durable })
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(edge.store(events(20, from: 23)).allSatisfy { $0 == .durable })
        #expect(storage.spoolFiles(".event").isEmpty)
        #expect(storage.log.contains("no row any more"))
        try owner.execute("DROP TRIGGER act ON events")
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(try eventually { try count(storage) == 43 && storage.spoolFiles().isEmpty })
        #expect(storage.spoolFiles(".event").isEmpty)
    }

    @Test("after a restart in that state it is found again, though no event was ever stored")
    func restarted() throws {
        let storage = try StorageProcess(prepare: Self.trigger("RAISE SQLSTATE '54000'"))
        var edge = try storage.edge()
        #expect(edge.store(events(5)).allSatisfy { $0 == .durable })
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        storage.kill()
        try storage.restart()
        edge = try storage.edge()
        #expect(edge.store(events(5, from: 5)).allSatisfy { $0 == .durable })
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(storage.spoolFiles(".event").isEmpty)
        try storage.open().execute("DROP TRIGGER act ON events")
        #expect(try eventually { try count(storage) == 10 })
    }

    @Test(
        "a constraint or a trigger that minds what a row says is no outage, though it minds the row that is asked for as well",
        arguments: [
            "ALTER TABLE events ADD CHECK (server_name IS NOT NULL AND message <> 'bad');",
            "ALTER TABLE events ALTER server_name SET NOT NULL;" + trigger("NEW.server_name := NULL", when: bad),
            trigger("RAISE EXCEPTION 'no'", when: "\(bad) OR NEW.server_name IS NULL"),
        ])
    func picky(prepare: String) throws {
        let storage = try StorageProcess(prepare: prepare)
        let edge = try storage.edge()
        // The first that comes is bad, so that nothing is known of rows that are taken.
        for round in 0..<2 {
            var sent = events(9, from: 9 * round)
            sent[0].message = "bad"
            sent[4].message = "bad"
            #expect(edge.store(sent).allSatisfy { $0 == .durable })
            #expect(try eventually { try count(storage) == 7 * (round + 1) })
            #expect(eventually { storage.spoolFiles(".event").count == 2 * (round + 1) })
        }
        #expect(storage.spoolFiles().isEmpty)
        #expect(edge.probe()?.degradation == [])
    }

    private static let bad = "NEW.message = 'bad'"

    @Test(
        "what such a state has kept on disk when nothing was known yet is delivered with the next event that is taken")
    func firstIsBad() throws {
        let storage = try StorageProcess(
            prepare: Self.trigger("RAISE EXCEPTION 'no'", when: "\(Self.bad) OR NEW.server_name IS NULL"))
        let edge = try storage.edge()
        var bad = events(1)
        bad[0].message = "bad"
        #expect(edge.store(bad) == [.durable])
        #expect(eventually { edge.probe()?.degradation == .postgresql }, "of the only event nobody knows better")
        #expect(eventually { edge.store(events(1, from: 1)) == [.durable] })
        #expect(try eventually { try count(storage) == 1 && storage.spoolFiles(".event").count == 1 })
        #expect(eventually { edge.probe()?.degradation == [] && storage.spoolFiles().isEmpty })
    }

    /// Kills the process that serves the session, and so all of PostgreSQL's.
    private static let crash = "EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'kill -9 ' || pg_backend_pid())"

    /// Some hundred milliseconds instead of five seconds for a statement.
    private static let hasty = ["MESHER_FAULT": "hasty:4", "MESHER_SPOOL_AFTER": "300"]

    @Test(
        "an event that PostgreSQL never answers, or dies of, is set aside with the reason, and all around it are stored",
        arguments: ["PERFORM pg_sleep(60)", Self.crash])
    func costly(body: String) throws {
        let server = try PostgreSQLServer()
        let storage = try StorageProcess(
            server: server, settings: Self.hasty,
            prepare: Self.trigger(body, when: "NEW.message = 'slow'") + "ALTER FUNCTION act SECURITY DEFINER;")
        let edge = try storage.edge()
        var sent = events(150)
        sent[70].message = "slow"
        for place in sent.indices { sent[place].flags = 3 }
        #expect(edge.store(sent).allSatisfy { $0 == .durable })
        // PostgreSQL is not always there.
        #expect(eventually { (try? count(storage)) == 149 })
        #expect(eventually { storage.spoolFiles().isEmpty && storage.spoolFiles(".event").count == 1 })
        let name = try #require(storage.spoolFiles(".event").first)
        let file = try Data(contentsOf: URL(fileURLWithPath: "\(storage.spool)/quarantine/\(name)"))
        #expect(file.range(of: Data(", 2 times, while PostgreSQL took another row\"".utf8)) != nil)
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(edge.store(events(1, from: 150)) == [.durable])
        // None of the sessions that were given up is left.
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mesher-storage bulk commit'"
        #expect(try eventually { try storage.value(sessions) == "1" })
    }

    @Test("while PostgreSQL answers nobody no event is blamed, however often that happens")
    func hangs() throws {
        let storage = try StorageProcess(settings: Self.hasty)
        let edge = try storage.edge()
        #expect(edge.store(events(1)) == [.durable])
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events_20260102 IN ACCESS EXCLUSIVE MODE")
        #expect(edge.store(events(3, from: 1)).allSatisfy { $0 == .durable })
        // By then the events are delivered one by one, and asked for another row before each.
        let tries = """
            SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DO $mesher$%'
            AND datname = current_database()
            """
        for _ in 0..<3 {
            #expect(try eventually { try storage.value(tries) == "1" })
            #expect(try eventually { try storage.value(tries) == "0" })
        }
        #expect(storage.spoolFiles(".event").isEmpty)
        try blocker.execute("ROLLBACK")
        #expect(try eventually { try count(storage) == 4 && storage.spoolFiles().isEmpty })
        #expect(storage.spoolFiles(".event").isEmpty)
    }

    @Test("sessions that are given up and do not end are not joined by others without end")
    func spinning() throws {
        // A stopped process is told to end and does not, as one that sorts.
        let storage = try StorageProcess(settings: Self.hasty)
        let edge = try storage.edge()
        #expect(edge.store(events(1)) == [.durable])
        var stopped: [pid_t] = []
        defer { for process in stopped { kill(process, SIGCONT) } }
        let newest = """
            SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND application_name = 'mesher-storage commit' ORDER BY backend_start DESC LIMIT 1
            """
        while stopped.count < 2 {
            #expect(eventually { edge.probe()?.degradation == [] })
            let process = try #require(storage.value(newest).flatMap { pid_t($0) })
            guard !stopped.contains(process) else { continue }
            kill(process, SIGSTOP)
            stopped.append(process)
            #expect(edge.store(events(1, from: stopped.count)) == [.durable])
            #expect(eventually { edge.probe()?.degradation != [] })
        }
        #expect(eventually { storage.log.contains("2 sessions that were given up do not end") })
        #expect(edge.store(events(1, from: 9)) == [.durable])
        for process in stopped { kill(process, SIGCONT) }
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(try eventually { try count(storage) == 4 })
    }

    @Test("when storage dies its statement that waits for a lock ends with it")
    func orphaned() throws {
        let storage = try StorageProcess(settings: ["MESHER_SPOOL_AFTER": "4000"])
        let edge = try storage.edge()
        #expect(edge.store(events(1)) == [.durable])
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        edge.send(events(1, from: 1).flatMap(\.frame))
        #expect(try eventually { try storage.isCommitWaiting() })
        storage.kill()
        #expect(try eventually { try !storage.isCommitWaiting() })
    }
}
