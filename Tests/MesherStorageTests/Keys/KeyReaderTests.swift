import Glibc
import PostgreSQL
import Schema
import StorageChannel
import TestServers
import Testing

@Suite struct KeyReaderTests {
    private let key = KeyID(0x1234_0000_0000_0000_0000_0000_0000_abcd)
    /// Behind all others.
    private let last = KeyID(.max)

    @Test("a project without a limit of its own has the configured one")
    func defaults() throws {
        let storage = try StorageProcess(
            settings: ["MESHER_RATE_LIMIT_EVENTS": "70", "MESHER_RATE_LIMIT_SECONDS": "7"],
            prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.quota == ProjectQuota(project: 1, events: 70, seconds: 7))
        #expect(edge.lookUp(KeyID(1))?.state == .unknown)
    }

    @Test("a key that is created, limited and revoked is heard of by an edge that did not ask")
    func heard() throws {
        let storage = try StorageProcess(prepare: CommitterFailureTests.project(with: KeyID(1)))
        let edge = try storage.edge()
        #expect(edge.lookUp(KeyID(1))?.state == .known)
        let owner = try storage.open()
        try owner.execute("INSERT INTO api_keys (key, project_id) VALUES ('\(CommitterFailureTests.hex(key))', 1)")
        #expect(edge.key(key)?.state == .known)
        try owner.execute("UPDATE projects SET rate_limit_events = 5, rate_limit_seconds = 6")
        #expect(edge.key(key)?.quota == ProjectQuota(project: 1, events: 5, seconds: 6))
        try owner.execute("UPDATE api_keys SET revoked_at = now() WHERE key = '\(CommitterFailureTests.hex(key))'")
        #expect(edge.key(key)?.state == .unknown)
        #expect(edge.lookUp(key)?.state == .unknown)
        #expect(edge.lookUp(KeyID(1))?.state == .known)
        #expect(!storage.log.contains("is ignored"))
    }

    @Test("a key that expires is refused at that time, and nobody has to say so")
    func expires() throws {
        let storage = try StorageProcess(prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        let owner = try storage.open()
        try owner.execute("INSERT INTO api_keys (key, project_id) VALUES ('\(CommitterFailureTests.hex(last))', 1)")
        #expect(edge.key(last)?.state == .known)
        try owner.execute(
            "UPDATE api_keys SET expires_at = now() + interval '4 s' WHERE key = '\(CommitterFailureTests.hex(key))'")
        #expect(edge.lookUp(last)?.state == .known)
        #expect(edge.key(key)?.state == .unknown)
        #expect(edge.lookUp(key)?.state == .unknown && edge.lookUp(last)?.state == .known)
        #expect(try storage.value("SELECT count(*) FROM api_keys WHERE expires_at <= now() + interval '1 s'") == "1")
    }

    @Test("a key expires also while PostgreSQL is away, and after a restart meanwhile")
    func expiresWhileAway() throws {
        let storage = try StorageProcess(prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        try storage.open().execute(
            """
            INSERT INTO api_keys (key, project_id, expires_at)
            VALUES ('\(CommitterFailureTests.hex(last))', 1, now() + interval '1 hour');
            UPDATE api_keys SET expires_at = now() + interval '6 s' WHERE key <> '\(CommitterFailureTests.hex(last))'
            """)
        #expect(edge.key(last)?.state == .known)
        #expect(eventually { storage.keptKeys == 2 || edge.lookUp(key)?.state == .unknown })
        storage.kill()
        _ = storage.wait()
        try storage.allowConnections(false)
        try storage.start()
        let later = try storage.edge(whenAccepting: false)
        #expect(later.lookUp(last)?.state == .known)
        #expect(eventually { later.lookUp(key)?.state == .unknown })
        #expect(later.lookUp(last)?.state == .known)
    }

    @Test("a deleted project's keys are refused at once, and its events that had been accepted go to the quarantine")
    func deletedProject() throws {
        let storage = try StorageProcess(
            settings: ["MESHER_SPOOL_AFTER": "200"], prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        #expect(edge.store([TestEvent(eventID: 1)]) == [.durable])
        let owner = try storage.open()
        try owner.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        #expect(edge.store([TestEvent(ticket: 2, eventID: 2)]) == [.durable])
        #expect(storage.spoolFiles().count == 1)
        try owner.execute("ROLLBACK; BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        #expect(try DeletedProjects.add(1, on: storage.open()))
        #expect(edge.key(key)?.state == .unknown)
        #expect(edge.lookUp(key)?.state == .unknown)
        // An edge had accepted it just before.
        #expect(edge.store([TestEvent(ticket: 3, eventID: 3)]) == [.durable])
        try owner.execute("ROLLBACK")
        #expect(eventually { storage.spoolFiles().isEmpty })
        #expect(eventually { storage.spoolFiles(".event").count >= 1 })
        let left = try DeletedProjects.withEvents(on: owner)
        #expect(left.map(\.id) == [1])
        // A batch may have been on its way.
        let isEmpty = try eventually {
            _ = try DeletedProjects.deleteEvents(of: left, on: owner)
            return try storage.value("SELECT count(*) FROM events") == "0"
        }
        #expect(isEmpty)
    }

    @Test("what is removed from a project's events is told to the edges that can do so, and others hear of the rest")
    func scrubRules() throws {
        let storage = try StorageProcess(prepare: CommitterFailureTests.project(with: key))
        let old = try TestEdge(storage.socketPath, version: 2)
        let edge = try storage.edge()
        #expect(old.lookUp(key)?.quota.scrub == .off && edge.lookUp(key)?.quota.scrub == .off)
        try storage.open().execute(
            "UPDATE projects SET scrub = 'default email', allowed_origins = ARRAY['https://a.example', 'https://b.example']"
        )
        let origins = AllowedOrigins("https://a.example https://b.example".utf8)
        let (heard, known) = (old.key(key)?.quota, edge.key(key)?.quota)
        #expect(known?.origins == origins && known?.scrub == ScrubRules("default email".utf8))
        #expect(heard?.origins == origins && heard?.scrub == .off)
        try storage.open().execute("UPDATE projects SET scrub = NULL")
        #expect(edge.key(key)?.quota.scrub == .off)
    }

    @Test("keys are read of a schema that has no column for what is removed")
    func olderSchema() throws {
        let storage = try StorageProcess(
            prepare: CommitterFailureTests.project(with: key) + "ALTER TABLE projects DROP COLUMN scrub;")
        let known = try storage.edge().lookUp(key)
        #expect(known?.state == .known && known?.quota.scrub == .off)
    }

    @Test("a key that was revoked while triggers do not fire is heard of when all are read again")
    func unheard() throws {
        let storage = try StorageProcess(
            settings: ["MESHER_FAULT": "hasty:300"], prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        let owner = try storage.open()
        try owner.execute("SET session_replication_role = replica; UPDATE api_keys SET revoked_at = now()")
        #expect(edge.key(key, within: 30)?.state == .unknown)
    }

    @Test("120,000 keys that come at once are told to an edge that is not quick to read, and it stays")
    func manyAtOnce() throws {
        let storage = try StorageProcess(prepare: CommitterFailureTests.project(with: KeyID(1)))
        let edge = try storage.edge()
        #expect(edge.lookUp(KeyID(1))?.state == .known)
        try storage.open().execute(
            """
            INSERT INTO projects (id, organization_id, slug) OVERRIDING SYSTEM VALUE
            SELECT id, 1, 'many-' || id FROM generate_series(1001, 2000) AS id;
            INSERT INTO api_keys (key, project_id)
            SELECT md5(number::text), 1001 + number % 1000 FROM generate_series(1, 119999) AS number;
            INSERT INTO api_keys (key, project_id) VALUES ('\(CommitterFailureTests.hex(last))', 1)
            """)
        // It is not told before it reads; meanwhile there would be too much for one that is told all.
        usleep(200_000)
        #expect(edge.key(last, within: 60)?.state == .known)
        #expect(edge.probe()?.accepts == true)
        #expect(!storage.log.contains("edge closed"))
        #expect(eventually { storage.keptKeys > 120_000 })
        storage.kill()
        _ = storage.wait()
        try storage.allowConnections(false)
        try storage.start()
        #expect(try storage.edge(whenAccepting: false).lookUp(last)?.state == .known)
    }

    @Test("an edge that reads nothing is closed after a second, and the others hear the news")
    func deaf() throws {
        let storage = try StorageProcess(prepare: CommitterFailureTests.project(with: KeyID(1)))
        let deaf = try storage.edge()
        let edge = try storage.edge()
        #expect(deaf.lookUp(KeyID(1))?.state == .known && edge.lookUp(KeyID(1))?.state == .known)
        try storage.open().execute(
            """
            INSERT INTO api_keys (key, project_id)
            SELECT md5(number::text), 1 FROM generate_series(1, 30000) AS number;
            INSERT INTO api_keys (key, project_id) VALUES ('\(CommitterFailureTests.hex(last))', 1)
            """)
        #expect(edge.key(last, within: 60)?.state == .known)
        #expect(eventually { storage.log.contains("it does not read the news of keys") })
    }

    @Test("uncounted events are granted the host's share of the limit, counted ones all")
    func uncounted() throws {
        let storage = try StorageProcess(
            settings: ["MESHER_HOSTS": "2"], prepare: CommitterFailureTests.project(with: key, limit: "10, 60"))
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        edge.send((0..<8).flatMap { TestEvent(ticket: $0, flags: 0).frame })
        let results = edge.results(8)
        #expect(results.values.count { $0.result == .durable } == 5)
        let refused = results.values.filter { $0.result == .rateLimited }
        #expect(refused.count == 3 && refused.allSatisfy { (1...60).contains($0.retryAfter) })
        #expect(edge.store((10..<20).map { TestEvent(ticket: $0) }).allSatisfy { $0 == .durable })
    }
}
