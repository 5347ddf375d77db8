import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

@testable import mesher_storage

/// Storage's promise when the power fails at any moment, with a disk that keeps of what was not synchronised what it likes.
@Suite struct PowerLossTests {
    private static let key = KeyID(0xaaaa_0000_0000_0000_0000_0000_0000_aaaa)

    private func events(_ tickets: Range<UInt64>, message: String = "it failed") -> [TestEvent] {
        tickets.map { TestEvent(ticket: $0, eventID: UInt128($0), message: message) }
    }

    /// Events that PostgreSQL refuses, keys that change, an outage, a kill, a failed fdatasync, and the end of all that.
    private func record() throws -> Recording {
        let log = "/tmp/mesher-disk-log.\(UInt32.random(in: .min ... .max))"
        defer { unlink(log) }
        let storage = try StorageProcess(
            settings: ["LD_PRELOAD": Execution.program("libdisk-recorder.so"), "DISK_LOG": log],
            prepare: CommitterFailureTests.project(with: Self.key) + """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.message = 'bad')
                EXECUTE FUNCTION refuse();
                """)
        func keys() -> Data? { FileManager.default.contents(atPath: storage.keysPath) }
        try #require(eventually { keys() != nil })
        let firstKeys = keys()
        var edge = try storage.edge()
        #expect(edge.store(events(1..<3, message: "bad")).allSatisfy { $0 == .durable })
        try storage.open().execute(
            "INSERT INTO api_keys (key, project_id) VALUES ('\(CommitterFailureTests.hex(KeyID(1)))', 1)")
        #expect(eventually { keys() != firstKeys })

        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(edge.store(events(3..<4)) == [.durable])
        #expect(edge.store(events(4..<24)).allSatisfy { $0 == .durable })
        #expect(edge.store(events(24..<25, message: "bad")) == [.durable])
        storage.kill()
        try storage.restart(settings: ["MESHER_FAULT": "sync:\(EIO):2"])
        edge = try storage.edge()
        #expect(edge.store(events(25..<30)).allSatisfy { $0 == .durable })
        #expect(edge.store(events(30..<31)) == [.unavailable])
        #expect(eventually { edge.store(events(31..<32)) == [.durable] })

        try storage.allowConnections(true)
        #expect(try eventually { try storage.value("SELECT count(*) >= 27 FROM events") == "t" })
        #expect(eventually { storage.spoolFiles().isEmpty })
        // One more answer, when the disk has nothing any more of what the others promised.
        #expect(edge.probe() != nil)
        storage.terminate()
        #expect(storage.wait() == 0)
        let bytes = Array(FileManager.default.contents(atPath: log) ?? Data())
        let folder = String(storage.keysPath.dropLast("/keys".count))
        return Recording(
            operations: DiskOperation.read(bytes, folder: folder),
            places: try ConnectionURL(storage.databaseURL).places,
            events: Dictionary(uniqueKeysWithValues: (1..<32).map { ($0, UInt128($0)) }), refused: [1, 2, 24])
    }

    @Test("Whenever the power fails, a start finds all that was acknowledged, and whole keys; each fsync is needed")
    func powerLoss() throws {
        let recording = try record()
        let (faults, disks) = try recording.faults()
        print("power loss: \(recording.operations.count) operations, \(disks) disks, faults \(faults)")
        #expect(faults.isEmpty)
        #expect(disks > 30)

        func expectFaults(withoutSynchronizing what: String, _ isLeftOut: (String) -> Bool) throws {
            let other = recording.without { if case .synchronize(let path) = $0 { isLeftOut(path) } else { false } }
            #expect(other.operations.count < recording.operations.count, "\(what)")
            #expect(try !other.faults(limit: 1).faults.isEmpty, "\(what)")
        }
        try expectFaults(withoutSynchronizing: "segments") { $0.hasSuffix(".segment") }
        try expectFaults(withoutSynchronizing: "the spool's folder") { $0 == "spool" }
        try expectFaults(withoutSynchronizing: "events set aside") { $0.contains(".event") }
        try expectFaults(withoutSynchronizing: "the quarantine's folder") { $0 == "spool/quarantine" }
        try expectFaults(withoutSynchronizing: "keys") { $0.hasPrefix("keys") }
        try expectFaults(withoutSynchronizing: "the state's folder") { $0.isEmpty }
    }
}
