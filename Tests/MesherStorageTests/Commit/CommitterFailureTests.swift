import PostgreSQL
import StorageChannel
import TestServers
import Testing

@Suite struct CommitterFailureTests {
    private static let withoutSpool = ["MESHER_SPOOL_LIMIT": "0"]

    @Test("without a spool, events whose commit is cut off are refused at once, and stored when they are sent again")
    func lostInMidBatch() throws {
        let storage = try StorageProcess(settings: Self.withoutSpool)
        let edge = try storage.edge()
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        let events = (0..<10).map { TestEvent(ticket: $0) }
        edge.send(events.flatMap(\.frame))
        #expect(try eventually { try storage.isCommitWaiting() })
        try storage.endSessions(named: "mesher-storage commit")
        let results = edge.results(10)
        #expect(results.count == 10)
        #expect(results.values.allSatisfy { $0.result == .unavailable && $0.retryAfter == 1 })
        try blocker.execute("ROLLBACK")
        #expect(eventually { edge.probe()?.accepts == true })
        #expect(edge.store(events).allSatisfy { $0 == .durable })
        #expect(try storage.value("SELECT count(*) FROM events") == "10")
    }

    @Test("without a spool, a commit that takes longer than five seconds is given up")
    func slow() throws {
        let storage = try StorageProcess(settings: Self.withoutSpool)
        let edge = try storage.edge()
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        #expect(edge.store([TestEvent()]) == [.unavailable])
        try blocker.execute("ROLLBACK")
    }

    @Test("without a spool, events are refused at once while PostgreSQL is away, and known keys stay known")
    func away() throws {
        let known = KeyID(0xaaaa_0000_0000_0000_0000_0000_0000_aaaa)
        let storage = try StorageProcess(settings: Self.withoutSpool, prepare: Self.project(with: known))
        let edge = try storage.edge()
        #expect(edge.lookUp(known)?.state == .known)
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.accepts == false })
        #expect(edge.probe()?.degradation == .postgresql)
        #expect(edge.store([TestEvent()]) == [.unavailable])
        #expect(edge.lookUp(known)?.state == .known)
        #expect(eventually { edge.lookUp(KeyID(1))?.state == .unavailable })

        try storage.allowConnections(true)
        #expect(eventually { edge.probe()?.accepts == true })
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(edge.store([TestEvent()]) == [.durable])
        #expect(eventually { edge.lookUp(KeyID(1))?.state == .unknown })
    }

    @Test("what changed while PostgreSQL was away is told when it is back")
    func missedChange() throws {
        let known = KeyID(0xaaaa_0000_0000_0000_0000_0000_0000_aaaa)
        let storage = try StorageProcess(prepare: Self.project(with: known))
        let edge = try storage.edge()
        #expect(edge.lookUp(known)?.state == .known)
        let owner = try storage.open()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.lookUp(KeyID(1))?.state == .unavailable })
        try owner.execute("UPDATE api_keys SET revoked_at = now()")
        try storage.allowConnections(true)
        #expect(edge.key(known)?.state == .unknown)
    }

    @Test("without PostgreSQL and spool it starts, refuses events, cannot tell keys, and says that it is degraded")
    func neverThere() throws {
        let storage = try StorageProcess(url: "postgresql:///none?host=/nonexistent", settings: Self.withoutSpool)
        let edge = try storage.edge(whenAccepting: false)
        #expect(edge.store([TestEvent()]) == [.unavailable])
        #expect(edge.lookUp(KeyID(1))?.state == .unavailable)
        let readiness = try #require(edge.probe())
        #expect(!readiness.accepts && readiness.degradation == [.postgresql, .keys])
    }

    @Test("a session without the table is no reason to accept events")
    func noTable() throws {
        let storage = try StorageProcess(settings: Self.withoutSpool, prepare: "DROP TABLE events")
        let edge = try storage.edge(whenAccepting: false)
        #expect(eventually { storage.log.contains("42P01") })
        #expect(edge.probe()?.accepts == false)
        #expect(edge.store([TestEvent()]) == [.unavailable])
    }

    @Test("timeouts that the database sets for everybody end neither a statement nor a session that idles")
    func timeoutsOfOthers() throws {
        let settings = [
            "statement_timeout = 200", "lock_timeout = 100", "idle_session_timeout = 500", "synchronous_commit = off",
            "client_min_messages = error",
        ]
        let prepare = settings.map { "EXECUTE format('ALTER DATABASE %I SET \($0)', current_database());" }
        let storage = try StorageProcess(
            settings: ["MESHER_SPOOL_AFTER": "4000"], prepare: "DO $$BEGIN \(prepare.joined()) END$$")
        let edge = try storage.edge()
        // The control: nobody sets this session free of them, nor the one below.
        let idle = try Connection.open(storage.databaseURL, applicationName: "mesher-storage idle")
        func holds(_ condition: String, _ name: String) throws -> Bool {
            try storage.value(
                """
                SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND application_name = 'mesher-storage \(name)' AND \(condition)
                """) == "1"
        }
        for name in ["commit", "bulk commit", "keys"] {
            #expect(try eventually { try holds("now() - state_change > '1 s' AND state = 'idle'", name) })
        }
        let blocker = try Connection.open(
            storage.server.url(database: storage.database) + "&options=-c%20idle_session_timeout%3D0",
            applicationName: "tests")
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        edge.send(TestEvent().frame)
        #expect(try eventually { try holds("now() - query_start > '0.5 s' AND wait_event_type = 'Lock'", "commit") })
        #expect(try eventually { try !holds("true", "idle") })
        let ended = failure(of: "SELECT 1", in: idle)
        let waiting = try Connection.open(storage.databaseURL, applicationName: "mesher-storage waiting")
        let cutOff = failure(of: "SELECT project_id FROM events", in: waiting)
        #expect(ended?.isConnectionLost == true && cutOff?.sqlState == "55P03")
        try blocker.execute("ROLLBACK")
        #expect(edge.results(1)[1]?.result == .durable)
        #expect(storage.spoolFiles().isEmpty && !storage.log.contains("error"), "\(storage.log)")
    }

    /// What a query fails with.
    private func failure(of sql: String, in connection: borrowing Connection) -> DatabaseError? {
        do throws(DatabaseError) {
            _ = try connection.query(sql)
            return nil
        } catch {
            return error
        }
    }

    /// SQL for a project, id 1, with one key.
    static func project(with key: KeyID, limit: String = "NULL, NULL") -> String {
        """
        INSERT INTO organizations (slug) VALUES ('o');
        INSERT INTO projects (organization_id, slug, rate_limit_events, rate_limit_seconds) VALUES (1, 'p', \(limit));
        INSERT INTO api_keys (key, project_id) VALUES ('\(hex(key))', 1);
        """
    }

    static func hex(_ key: KeyID) -> String {
        let digits = String(key.value, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
