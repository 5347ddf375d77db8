import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

@Suite struct KeyArchiveTests {
    private let key = KeyID(0xaaaa_0000_0000_0000_0000_0000_0000_aaaa)
    private let revoked = KeyID(0xbbbb_0000_0000_0000_0000_0000_0000_bbbb)

    /// A storage process that knows one key and has revoked another, after both have reached the disk.
    private func storage(server: PostgreSQLServer? = nil, options: String = "") throws -> StorageProcess {
        let storage = try StorageProcess(
            server: server, options: options, prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        func size() -> Int { (try? Data(contentsOf: URL(fileURLWithPath: storage.keysPath)))?.count ?? 0 }
        #expect(eventually { size() > 0 })
        let former = size()
        try storage.open().execute(
            """
            INSERT INTO api_keys (key, project_id, revoked_at)
            VALUES ('\(CommitterFailureTests.hex(revoked))', 1, now())
            """)
        #expect(eventually { size() == former + 17 })
        return storage
    }

    /// Kills it, lets `change` happen and starts it again while PostgreSQL lets nobody in.
    private func restart(_ storage: StorageProcess, _ change: () throws -> Void = {}) throws -> TestEdge {
        storage.kill()
        _ = storage.wait()
        try change()
        try storage.allowConnections(false)
        try storage.start()
        return try storage.edge(whenAccepting: false)
    }

    @Test(
        "a restart while PostgreSQL is away knows keys and their limits, refuses revoked ones, and cannot tell others")
    func restartWhileAway() throws {
        let storage = try storage()
        let edge = try restart(storage)
        #expect(edge.lookUp(key)?.quota == ProjectQuota(project: 1, events: 1_000, seconds: 60))
        #expect(edge.lookUp(revoked)?.state == .unknown)
        #expect(edge.lookUp(KeyID(1))?.state == .unavailable)
        #expect(storage.log.contains("keys=1 revoked=1"))
    }

    @Test(
        "a start while PostgreSQL hangs serves keys from disk and keeps events there; without a snapshot none is known",
        arguments: [true, false])
    func hanging(hasSnapshot: Bool) throws {
        let server = try PostgreSQLServer()
        let storage = try storage(server: server, options: "&connect_timeout=\(hasSnapshot ? 60 : 1)")
        storage.kill()
        _ = storage.wait()
        if !hasSnapshot { unlink(storage.keysPath) }
        server.signal(SIGSTOP)
        try storage.start()
        let edge = try storage.edge(whenAccepting: false)
        #expect(edge.lookUp(key)?.state == (hasSnapshot ? .known : .unavailable))
        #expect(edge.store([TestEvent()]) == [.durable])
        #expect(storage.spoolFiles().count == 1)
        server.signal(SIGCONT)
        #expect(eventually { storage.spoolFiles().isEmpty })
    }

    @Test("what changed before PostgreSQL is back is told to the edges then")
    func changedMeanwhile() throws {
        let storage = try storage()
        let owner = try storage.open()
        let edge = try restart(storage)
        #expect(edge.lookUp(key)?.state == .known)
        try owner.execute("UPDATE api_keys SET revoked_at = now()")
        try storage.allowConnections(true)
        #expect(edge.key(key)?.state == .unknown)
    }

    @Test("a key revoked while storage was down is refused as soon as PostgreSQL answers, and by the next restart")
    func revokedWhileDown() throws {
        let storage = try storage()
        storage.kill()
        _ = storage.wait()
        try storage.open().execute("UPDATE api_keys SET revoked_at = now()")
        try storage.start()
        #expect(try storage.edge().lookUp(key)?.state == .unknown)
        // Its end writes what the start has read, however short its life was.
        storage.terminate()
        #expect(storage.wait() == 0)
        #expect(try restart(storage).lookUp(key)?.state == .unknown)
    }

    @Test("a snapshot that is damaged, or of another database, is ignored and said so once")
    func ignored() throws {
        let storage = try storage()
        let edge = try restart(storage) {
            let file = URL(fileURLWithPath: storage.keysPath)
            var bytes = try Data(contentsOf: file)
            bytes[40] ^= 1
            try bytes.write(to: file)
        }
        #expect(edge.lookUp(key)?.state == .unavailable)
        #expect(storage.log.components(separatedBy: "the snapshot of keys is ignored").count == 2)
    }

    @Test("a server more in the URL leaves the snapshot what it is; servers of which none was there before do not")
    func otherServers() throws {
        let storage = try storage()
        storage.kill()
        _ = storage.wait()
        try storage.allowConnections(false)
        let url = storage.databaseURL
        try storage.restart(settings: [
            "MESHER_STORAGE_DATABASE_URL": url.replacingOccurrences(of: "?host=", with: "?host=/nowhere,")
        ])
        #expect(try storage.edge(whenAccepting: false).lookUp(key)?.state == .known)
        storage.kill()
        try storage.restart(settings: [
            "MESHER_STORAGE_DATABASE_URL": url.replacingOccurrences(of: "?host=", with: "?port=5433&host=")
        ])
        #expect(try storage.edge(whenAccepting: false).lookUp(key)?.state == .unavailable)
        #expect(storage.log.contains("it is of another database"))
    }

    @Test("without a folder to write to it works as before, and says so")
    func noFolder() throws {
        let storage = try StorageProcess(
            settings: ["MESHER_STATE_DIR": "/nonexistent"], prepare: CommitterFailureTests.project(with: key))
        #expect(try storage.edge().lookUp(key)?.state == .known)
        #expect(eventually { storage.log.contains("keys cannot be saved to disk") })
        #expect(storage.log.contains("/nonexistent/keys.new"))
    }
}
