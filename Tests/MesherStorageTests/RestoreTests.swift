import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

/// PostgreSQL is restored from an older backup while events wait on disk.
@Suite struct RestoreTests {
    private let key = KeyID(0xaaaa)

    /// Events of project 1, which the backup has, and of project 10, which it has not, wait in the spool; the backup is
    /// restored, and storage finds it.
    ///
    /// - Parameters:
    ///   - change: SQL in the restored database.
    ///   - isKilled: storage dies meanwhile, and is started again.
    private func restore(isKilled: Bool, change: String = "") throws -> StorageProcess {
        let storage = try StorageProcess(
            settings: ["MESHER_SPOOL_AFTER": "200"], prepare: CommitterFailureTests.project(with: key))
        #expect(try storage.edge().store([TestEvent(eventID: 1)]) == [.durable])
        let dump = storage.spool + "/../dump"
        let (url, database) = (storage.server.url(database: storage.database), storage.database)
        try run("pg_dump --format=custom --file=\(dump) '\(url)'")
        let late = KeyID(0xcccc)
        try storage.open().execute(
            """
            INSERT INTO projects (id, organization_id, slug) OVERRIDING SYSTEM VALUE
            SELECT 10, min(id), 'late' FROM organizations;
            INSERT INTO api_keys (key, project_id) VALUES ('\(CommitterFailureTests.hex(late))', 10)
            """)
        let edge = try storage.edge()
        #expect(eventually { edge.lookUp(late)?.state == .known })
        let isOnDisk = eventually {
            let snapshot = try? Data(contentsOf: URL(fileURLWithPath: storage.keysPath))
            return snapshot?.range(of: Data([0xcc, 0xcc])) != nil
        }
        #expect(isOnDisk)

        let administrator = try Connection.open(storage.server.url(), applicationName: "tests")
        try administrator.execute("ALTER ROLE storage_\(database) CONNECTION LIMIT 0")
        try storage.endSessions()
        let waiting = [TestEvent(ticket: 1, eventID: 2), TestEvent(ticket: 2, project: 10, eventID: 3)]
        #expect(eventually { edge.probe()?.degradation.contains(.postgresql) == true })
        #expect(edge.store(waiting) == [.durable, .durable])
        #expect(storage.spoolFiles().count == 1)
        if isKilled {
            storage.kill()
            _ = storage.wait()
        }
        try administrator.execute("DROP DATABASE \(database) (FORCE)")
        try administrator.execute("CREATE DATABASE \(database)")
        try run("pg_restore --dbname='\(url)' \(dump)")
        try storage.open().execute(change)
        try administrator.execute("ALTER ROLE storage_\(database) CONNECTION LIMIT -1")
        if isKilled { try storage.start() }
        #expect(eventually { storage.spoolFiles().isEmpty })
        return storage
    }

    private func run(_ command: String) throws {
        let result = try Execution.run("/bin/sh", ["-c", command])
        #expect(result.status == 0, "\(result.errors)")
    }

    /// The ids of the events that are stored, and what is said of those that are set aside.
    private func found(_ storage: StorageProcess) throws -> (stored: String?, setAside: [String]) {
        let ids = "SELECT string_agg(right(event_id::text, 1), ',' ORDER BY event_id) FROM events"
        let files = storage.spoolFiles(".event").map { "\(storage.spool)/quarantine/\($0)" }
        return (
            try storage.value(ids),
            files.map { path in
                let bytes = FileManager.default.contents(atPath: path) ?? Data()
                return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            }
        )
    }

    @Test(
        "events whose project the backup does not have are set aside, and those of others stored",
        arguments: [false, true])
    func lostProject(isKilled: Bool) throws {
        let storage = try restore(isKilled: isKilled)
        let (stored, setAside) = try found(storage)
        #expect(stored == "1,2")
        #expect(setAside.count == 1 && setAside.first?.contains("no project 10: restored from an older backup") == true)
        #expect(storage.log.contains("no project 10"))
        // So it is for an edge that still knows the key.
        #expect(try storage.edge().store([TestEvent(project: 10, eventID: 4)]) == [.durable])
        #expect(try found(storage).setAside.count == 2)
    }

    @Test("a project that has got the id of another one does not get its events", arguments: [false, true])
    func reusedID(isKilled: Bool) throws {
        let other = CommitterFailureTests.hex(KeyID(0xdddd))
        let storage = try restore(
            isKilled: isKilled,
            change: """
                INSERT INTO projects (id, organization_id, slug) OVERRIDING SYSTEM VALUE
                SELECT 10, min(id), 'other' FROM organizations;
                INSERT INTO api_keys (key, project_id) VALUES ('\(other)', 10)
                """)
        let (stored, setAside) = try found(storage)
        #expect(stored == "1,2")
        #expect(setAside.count == 1 && setAside.first?.contains("project 10 of the database is another one") == true)
        // What it sends itself is its own, also when it has waited.
        #expect(try storage.edge().store([TestEvent(project: 10, eventID: 5)]) == [.durable])
        #expect(try found(storage).stored == "1,2,5")
    }
}
