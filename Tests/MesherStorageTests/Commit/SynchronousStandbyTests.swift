import PostgreSQL
import StorageChannel
import TestServers
import Testing

/// A primary whose commits wait for a standby that is not there.
@Suite struct SynchronousStandbyTests {
    /// Sets on the server for which standby commits wait; its own does not.
    private func setStandby(_ name: String, on server: PostgreSQLServer) throws {
        let administrator = try Connection.open(server.url(), applicationName: "tests")
        try administrator.execute("SET synchronous_commit = local")
        try administrator.execute("ALTER SYSTEM SET synchronous_standby_names = '\(name)'")
        try administrator.execute("SELECT pg_reload_conf()")
        #expect(
            try eventually {
                let newcomer = try Connection.open(server.url(), applicationName: "tests")
                return try newcomer.query("SHOW synchronous_standby_names")[row: 0, column: 0] == name
            })
        // Commits wait once the checkpointer has heard of it.
        try administrator.execute("CHECKPOINT")
    }

    /// The process of a session of storage that waits for the standby.
    private func waiting(_ storage: StorageProcess, _ name: String) throws -> String? {
        try storage.value(
            """
            SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()
            AND application_name = 'mesher-storage \(name)'
            """)
    }

    @Test("an event whose wait for the standby was cancelled goes to the spool as well, until a standby has it")
    func cancelled() throws {
        let server = try PostgreSQLServer()
        let storage = try StorageProcess(server: server, settings: ["MESHER_SPOOL_AFTER": "4000"])
        let edge = try storage.edge()
        #expect(edge.store([TestEvent()]) == [.durable])
        try setStandby("nobody", on: server)

        let event = TestEvent(ticket: 7)
        edge.send(event.frame)
        var session: String?
        #expect(
            try eventually {
                session = try waiting(storage, "commit")
                return session != nil
            })
        #expect(storage.spoolFiles().isEmpty)
        #expect(try storage.value("SELECT pg_cancel_backend(\(#require(session)))") == "t")
        #expect(edge.results(1)[7]?.result == .durable)
        #expect(storage.spoolFiles().count == 1)

        // The row can be seen by now: what is delivered from the spool has nothing to add to it, and waits all the
        // same.
        #expect(try eventually { try waiting(storage, "bulk commit") != nil })
        #expect(try storage.value("SELECT count(*) FROM events") == "2")
        #expect(storage.spoolFiles().count == 1)
        // A session that was given up does not wait there for ever beside its successor.
        let first = try #require(try waiting(storage, "bulk commit"))
        #expect(
            try eventually {
                let next = try waiting(storage, "bulk commit")
                return next != nil && next != first
            })
        let survivors = "SELECT count(*) FROM pg_stat_activity WHERE pid = \(first)"
        #expect(try eventually { try storage.value(survivors) == "0" })

        try setStandby("", on: server)
        #expect(eventually { storage.spoolFiles().isEmpty })
        #expect(try storage.value("SELECT count(*) FROM events") == "2")
    }

    /// A trigger for which PostgreSQL does not tell a session that the standby has not confirmed its commit.
    private static let silence = """
        CREATE FUNCTION silence() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('client_min_messages', 'error', true); RETURN NULL; END $$;
        CREATE TRIGGER silence BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION silence();
        """

    @Test(
        "without a spool, an event whose wait for the standby was cancelled is refused; not if storage does not hear of it",
        arguments: [true, false])
    func cancelledWithoutSpool(isTold: Bool) throws {
        let server = try PostgreSQLServer()
        let storage = try StorageProcess(
            server: server, settings: ["MESHER_SPOOL_LIMIT": "0"], prepare: isTold ? "" : Self.silence)
        let edge = try storage.edge()
        // The day has its partition before: making one would wait as well.
        #expect(edge.store([TestEvent()]) == [.durable])
        try setStandby("nobody", on: server)
        edge.send(TestEvent(ticket: 7).frame)
        #expect(
            try eventually {
                guard let session = try waiting(storage, "commit") else { return false }
                return try storage.value("SELECT pg_cancel_backend(\(session))") == "t"
            })
        #expect(edge.results(1)[7]?.result == (isTold ? .unavailable : .durable))
        try setStandby("", on: server)
    }
}
