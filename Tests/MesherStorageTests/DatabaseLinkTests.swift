import Glibc
import PostgreSQL
import StorageChannel
import TestServers
import Testing

@Suite struct DatabaseLinkTests {
    private let key = KeyID(0xaaaa_0000_0000_0000_0000_0000_0000_aaaa)

    /// The URL of a database that two servers have, the first of which is tried first.
    private func url(_ first: PostgreSQLServer, _ second: PostgreSQLServer, _ options: String = "") -> String {
        "postgresql:///postgres?host=\(first.folder),\(second.folder)&user=postgres\(options)"
    }

    @Test("when the primary ends and its standby is promoted, events and keys come from there, without a restart")
    func failover() throws {
        let primary = try PostgreSQLServer()
        let owner = try Connection.open(primary.url(), applicationName: "tests")
        try StorageProcess.prepare(owner, CommitterFailureTests.project(with: key))
        let standby = try PostgreSQLServer(standbyOf: primary)
        // Where any server will do, storage stays with the first, which cannot store.
        let undemanding = try StorageProcess(url: url(standby, primary, "&target_session_attrs=any"))
        #expect(try undemanding.edge().store([TestEvent(ticket: 1)]) == [.durable])
        #expect(undemanding.spoolFiles().count == 1)
        undemanding.kill()

        let storage = try StorageProcess(url: url(standby, primary))
        let edge = try storage.edge()
        #expect(edge.store([TestEvent(ticket: 1)]) == [.durable])
        #expect(storage.spoolFiles().isEmpty)
        #expect(edge.lookUp(key)?.state == .known)

        primary.stop()
        #expect(eventually { edge.probe()?.degradation.contains(.postgresql) == true })
        #expect(edge.lookUp(key)?.state == .known)
        let follower = try Connection.open(
            standby.url() + "&target_session_attrs=any", applicationName: "tests")
        #expect(eventually { storage.log.contains("read-only") && storage.log.contains("; ") })
        _ = try follower.query("SELECT pg_promote()")
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(edge.store([TestEvent(ticket: 2, message: "after")]) == [.durable])
        #expect(eventually { edge.lookUp(KeyID(1))?.state == .unknown })
        let rows = try follower.query("SELECT count(*) FROM events WHERE message = 'after'")
        #expect(rows[row: 0, column: 0] == "1")
    }

    @Test("a server that hangs is passed over when its time is up")
    func hangingServer() throws {
        let hanging = try PostgreSQLServer()
        hanging.signal(SIGSTOP)
        defer { hanging.signal(SIGCONT) }
        let server = try PostgreSQLServer.shared.get()
        let storage = try StorageProcess(server: server, hostsBefore: [hanging], options: "&connect_timeout=1")
        let edge = try storage.edge()
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(edge.store([TestEvent()]) == [.durable])
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "1" })
    }

    @Test("a session that became read-only is left for a server that takes writes")
    func readOnly() throws {
        let storage = try StorageProcess(prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        let administrator = try Connection.open(storage.server.url(), applicationName: "tests")
        try administrator.execute("ALTER DATABASE \(storage.database) SET default_transaction_read_only = on")
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation.contains(.postgresql) == true })
        #expect(eventually { storage.log.contains("session is read-only") })
        #expect(edge.store([TestEvent()]) == [.durable], "on disk")
        try administrator.execute("ALTER DATABASE \(storage.database) RESET default_transaction_read_only")
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(edge.store([TestEvent(ticket: 2)]) == [.durable])
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "2" })
    }

    @Test("keys are read elsewhere when their server takes no writes any more, though its sessions go on")
    func keysOfReadOnlyServer() throws {
        let otherKey = KeyID(0xbbbb_0000_0000_0000_0000_0000_0000_bbbb)
        let (first, second) = (try PostgreSQLServer(), try PostgreSQLServer())
        for (server, key) in [(first, key), (second, otherKey)] {
            let owner = try Connection.open(server.url(), applicationName: "tests")
            try StorageProcess.prepare(owner, CommitterFailureTests.project(with: key))
        }
        let storage = try StorageProcess(url: url(first, second))
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        #expect(edge.lookUp(otherKey)?.state == .unknown)
        let administrator = try Connection.open(first.url(), applicationName: "tests")
        try administrator.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        try administrator.execute("SELECT pg_reload_conf()")
        #expect(eventually { edge.lookUp(otherKey)?.state == .known })
        #expect(edge.lookUp(key)?.state == .unknown)
    }

    @Test("a server with too many clients is tried again until it has room")
    func tooManyClients() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let administrator = try Connection.open(storage.server.url(), applicationName: "tests")
        try administrator.execute("ALTER ROLE storage_\(storage.database) CONNECTION LIMIT 0")
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation.contains(.postgresql) == true })
        #expect(eventually { storage.log.contains("too many connections") })
        try administrator.execute("ALTER ROLE storage_\(storage.database) CONNECTION LIMIT -1")
        #expect(eventually { edge.probe()?.degradation == [] })
    }

    @Test("while the server hangs known keys stay known, of others nothing can be said, and it is over by itself")
    func hang() throws {
        let server = try PostgreSQLServer()
        let storage = try StorageProcess(server: server, prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        #expect(edge.lookUp(KeyID(1))?.state == .unknown)
        server.signal(SIGSTOP)
        #expect(eventually { edge.lookUp(KeyID(1))?.state == .unavailable })
        #expect(edge.lookUp(key)?.state == .known)
        server.signal(SIGCONT)
        #expect(eventually { edge.lookUp(KeyID(1))?.state == .unknown })
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(edge.store([TestEvent()]) == [.durable])
    }
}
