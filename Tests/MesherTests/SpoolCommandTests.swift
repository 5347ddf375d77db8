import Foundation
import Glibc
import PostgreSQL
import Spool
import TestServers
import Testing

@testable import mesher

@Suite struct SpoolCommandTests {
    private let spool = TestSpool()

    private func run(_ arguments: String..., service: TestService? = nil) throws -> Execution {
        var environment = service?.environment ?? [:]
        environment["MESHER_SPOOL_DIR"] = spool.path
        environment["MESHER_STATE_DIR"] = spool.path
        if let service { environment["MESHER_STORAGE_DATABASE_URL"] = service.server.url(database: service.database) }
        return try Execution.run(Execution.program("mesher"), arguments, environment: environment)
    }

    private func json(_ text: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    @Test("status tells how much there is, since when, and whether storage has it")
    func status() throws {
        try spool.store([TestSpool.record(id: 1), TestSpool.record(id: 2)])
        let idle = try #require(try json(run("spool", "status", "--json").output) as? [String: Any])
        #expect(idle["segments"] as? Int == 1 && idle["in_use"] as? Bool == false)
        #expect(idle["oldest_received_at"] as? String == "2026-01-02T03:04:05.000006Z")
        let owner = try spool.open()
        #expect(try run("spool", "status").output.contains("in use by storage"))
        #expect(owner.size > 0)
    }

    @Test("check tells of what waits, of what is set aside, and of a spool that is nearly full")
    func check() throws {
        let empty = try findings()
        #expect(empty["spool"]?.isEmpty == true && empty["quarantine"] == nil)
        try spool.store([TestSpool.record(id: 1, message: String(repeating: "x", count: 900 << 10))])
        try spool.setAside(TestSpool.record(id: 2), sqlState: "P0001")
        let full = try findings()
        #expect(full["spool"]?.count == 2 && full["quarantine"]?.count == 1)
        #expect(full["spool"]?.last?.contains("the oldest from 2026-01-02T03:04:05.000006Z") == true)
    }

    @Test("check tells beforehand that a spool is not the database's, which has none of the keys of its events")
    func otherDatabase() throws {
        var service = try TestService()
        service.environment["MESHER_SPOOL_DIR"] = spool.path
        service.environment["MESHER_STATE_DIR"] = spool.path
        service.environment["MESHER_STORAGE_DATABASE_URL"] = service.server.url(database: service.database)
        func isTold() throws -> Bool {
            try service.run("check").output.contains("its events may be of another database: ")
        }
        let key = try service.addProject()
        try spool.store([TestSpool.record(id: 1)])
        #expect(try isTold(), "nothing says by which keys they were accepted")
        try spool.keepKeys(of: [1: String(repeating: "e", count: 32)])
        #expect(try isTold())
        try spool.keepKeys(of: [1: key])
        #expect(try !isTold())
    }

    @Test("check names a segment that a newer release has written")
    func newer() throws {
        try spool.store([TestSpool.record(id: 1)])
        let path = SegmentFile(1, in: spool.path).path
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[11] = 99
        let checksum = bytes[..<28].withUnsafeBytes { SegmentFormat.checksum($0) }
        withUnsafeBytes(of: checksum.bigEndian) { bytes.replaceSubrange(28..<32, with: $0) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(try findings()["spool"]?.contains("\(path): written by a newer release, its events wait") == true)
    }

    /// What `check` finds at fault, by subject, with a limit of 1 MiB; nothing of a subject that is sound.
    private func findings() throws -> [String: [String]] {
        let environment = ["MESHER_SPOOL_DIR": spool.path, "MESHER_SPOOL_LIMIT": "1"]
        let output = try Execution.run(Execution.program("mesher"), ["check", "--json"], environment: environment)
            .output
        let all = try #require(try json(output) as? [[String: Any]])
        return all.reduce(into: [:]) { result, finding in
            guard let subject = finding["subject"] as? String, let text = finding["finding"] as? String else { return }
            result[subject, default: []] += finding["ok"] as? Bool == true ? [] : [text]
        }
    }

    @Test("without a directory it ends with 69 and names it")
    func absent() throws {
        for command in ["status", "verify", "export", "drain"] {
            let result = try run("spool", command)
            #expect(result.status == 69 && result.errors.contains(spool.path))
        }
    }

    @Test("verify names what is damaged and ends with 65")
    func verify() throws {
        try spool.store([TestSpool.record(id: 1), TestSpool.record(id: 2)])
        #expect(try run("spool", "verify").status == 0)
        let path = "\(spool.path)/0000000000000001.segment"
        var bytes = try #require(FileManager.default.contents(atPath: path))
        bytes[60] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let result = try run("spool", "verify", "--json")
        #expect(result.status == 65)
        let segments = try #require(try json(result.output) as? [[String: Any]])
        #expect(segments.count == 1 && segments[0]["events"] as? Int == 1 && segments[0]["damaged"] as? Int == 1)
        #expect(try run("spool", "export").status == 65)
    }

    @Test("export prints each event as JSON, with the names of the table's columns")
    func export() throws {
        try spool.store([TestSpool.record(id: 0xab), TestSpool.record(id: 2)])
        let lines = try run("spool", "export").output.split(separator: "\n")
        #expect(lines.count == 2)
        let event = try #require(try json(String(lines[0])) as? [String: Any])
        #expect(event["event_id"] as? String == "000000000000000000000000000000ab")
        #expect(event["received_at"] as? String == "2026-01-02T03:04:05.000006Z")
        #expect(event["message"] as? String == "it \"failed\" \\ {now}, é")
        #expect(event["environment"] is NSNull && event["release"] as? String == "")
        #expect((event["tags"] as? [String: String]) == ["a": "b"] && (event["payload"] as? [String: Int]) == ["n": 1])
    }

    @Test("drain stores all there is, once, and sets aside what PostgreSQL refuses")
    func drain() throws {
        let service = try TestService()
        try spool.keepKeys(of: [1: service.addProject()])
        let records = (1...1_200).map { TestSpool.record(id: UInt128($0)) }
        try spool.store(records)
        try spool.store([records[0], TestSpool.record(id: 9_999, message: "a\u{0}b"), records[1]])
        let result = try run("spool", "drain", service: service)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "delivered 1202 events, set aside 1\n")
        let rows = try service.open().query(
            "SELECT count(*), max(message), max(received_at AT TIME ZONE 'UTC'), max(tags::text), max(payload::text) FROM events"
        )
        #expect(rows[row: 0, column: 0] == "1200")
        #expect(rows[row: 0, column: 1] == "it \"failed\" \\ {now}, é")
        #expect(rows[row: 0, column: 2] == "2026-01-02 03:04:05.000006")
        #expect(rows[row: 0, column: 3] == #"{"a": "b"}"# && rows[row: 0, column: 4] == #"{"n":1}"#)
        #expect(try run("spool", "drain", service: service).output == "delivered 0 events, set aside 0\n")
        let list = try #require(try json(run("quarantine", "list", "--json").output) as? [[String: Any]])
        #expect(list.count == 1 && list[0]["kind"] as? String == "event")
    }

    @Test("drain leaves a spool alone that storage owns, and keeps it when PostgreSQL cannot be reached")
    func drainRefused() throws {
        try spool.store([TestSpool.record(id: 1)])
        do {
            let owner = try spool.open()
            let result = try run("spool", "drain")
            #expect(result.status == 75 && result.errors.contains("stop the service"))
            #expect(owner.size > 0)
        }
        var environment = ["MESHER_SPOOL_DIR": spool.path]
        environment["MESHER_STORAGE_DATABASE_URL"] = "postgresql:///none?host=/nonexistent"
        let result = try Execution.run(Execution.program("mesher"), ["spool", "drain"], environment: environment)
        #expect(result.status == 69)
        #expect(try run("spool", "verify").output.contains("sound"))
    }

    @Test(
        "drain refuses a database that is not known to have accepted the events, unless told so, and stores none there")
    func drainElsewhere() throws {
        let (service, other) = (try TestService(), try TestService())
        let key = try service.addProject()
        _ = try other.addProject()
        try spool.store([TestSpool.record(id: 1), TestSpool.record(project: 5, id: 2)])
        let unknown = try run("spool", "drain", service: service)
        #expect(unknown.status == 65 && unknown.errors.contains("does not tell which database"))
        try spool.keepKeys(of: [1: key, 5: String(repeating: "5", count: 32)])
        let refused = try run("spool", "drain", service: other)
        #expect(refused.status == 65 && refused.errors.contains("none of the keys by which events of project 1"))
        #expect(refused.errors.contains("--into-another-database"))
        #expect(try count(other) == "0")
        #expect(try run("spool", "verify").output.contains("sound"))

        #expect(try run("spool", "drain", service: service).output == "delivered 1 events, set aside 1\n")
        #expect(try count(service) == "1")
        let list = try run("quarantine", "list").output
        #expect(list.contains("the database has no project 5"))
        #expect(try run("quarantine", "retry", "1", service: service).status == 65)
        #expect(try run("quarantine", "retry", "1", "--project", "nobody", service: service).status == 65)
        #expect(try run("quarantine", "retry", "--all", "--project", "p1", service: service).status == 64)
        let given = try run("quarantine", "retry", "1", "--project", "p1", service: service)
        #expect(given.output == "1 stored as event 00000000000000000000000000000002 of project 1\n")
        #expect(try count(service) == "2")

        try spool.store([TestSpool.record(id: 3)])
        let forced = try run("spool", "drain", "--into-another-database", service: other)
        #expect(forced.status == 0 && forced.output == "delivered 1 events, set aside 0\n")
    }

    private func count(_ service: TestService) throws -> String? {
        try service.open().query("SELECT count(*) FROM events")[row: 0, column: 0]
    }

    @Test("what root drains belongs to the owner of the spool", .enabled(if: geteuid() == 0, "needs root"))
    func drainAsRoot() throws {
        let service = try TestService()
        try spool.keepKeys(of: [1: service.addProject()])
        try spool.store([TestSpool.record(id: 1), TestSpool.record(id: 2, message: "a\u{0}b")])
        let nobody: uid_t = 65_534
        for path in [spool.path] + FileManager.default.subpaths(atPath: spool.path).map({
            $0.map { spool.path + "/" + $0 }
        })! {
            chown(path, nobody, nobody)
        }
        try FileManager.default.removeItem(atPath: spool.path + "/quarantine")
        #expect(try run("spool", "drain", service: service).output == "delivered 1 events, set aside 1\n")
        let files = try FileManager.default.subpathsOfDirectory(atPath: spool.path)
        #expect(files.contains { $0.hasSuffix(".event") })
        for file in files {
            let owner = try FileManager.default.attributesOfItem(atPath: "\(spool.path)/\(file)")[.ownerAccountID]
            #expect(owner as? uid_t == nobody, "\(file)")
        }
    }

    @Test("a project gets no id that the spool, the quarantine or the keys of this host have")
    func seenIDs() throws {
        let service = try TestService()
        func create(_ name: String) throws -> Int {
            var environment = service.environment
            environment["MESHER_SPOOL_DIR"] = spool.path
            environment["MESHER_STATE_DIR"] = spool.path
            let run = try Execution.run(
                Execution.program("mesher"), ["project", "create", name, "--json"], environment: environment)
            return (try json(run.output) as? [String: Any])?["id"] as? Int ?? 0
        }
        #expect(try create("first") == 1)
        try spool.store([TestSpool.record(project: 7, id: 1), TestSpool.record(project: .max, id: 2)])
        #expect(try create("after spool") == 8)
        try spool.setAside(TestSpool.record(project: 12, id: 2), sqlState: "P0001")
        #expect(try create("after quarantine") == 13)
        try spool.keepKeys(of: [20: String(repeating: "5", count: 32)])
        #expect(try create("after keys") == 21)
    }

    @Test("what is set aside can be listed, shown, stored after all, and dropped")
    func quarantine() throws {
        let service = try TestService()
        let owner = try service.open()
        for _ in 1...7 { _ = try service.addProject() }
        try owner.execute("ALTER TABLE events ADD CONSTRAINT short CHECK (length(message) < 10)")
        try spool.setAside(TestSpool.record(id: 1, message: "a longer text"), sqlState: "23514")
        try spool.setAside(TestSpool.record(project: 7, id: 2, message: "x"), sqlState: "P0001")
        let list = try run("quarantine", "list").output
        #expect(list.contains("SQLSTATE 23514") && list.contains("00000000000000000000000000000002"))
        #expect(try run("quarantine", "show", "1").output.contains("a longer text"))
        #expect(try run("quarantine", "show", "9").status == 65)
        #expect(try run("quarantine", "retry").status == 64)

        let refused = try run("quarantine", "retry", "--all", service: service)
        #expect(refused.status == 65 && refused.errors.contains("1: refused again"))
        #expect(refused.output == "2 stored as event 00000000000000000000000000000002 of project 7\n")
        try owner.execute("ALTER TABLE events DROP CONSTRAINT short")
        #expect(try run("quarantine", "retry", "1", service: service).status == 0)
        let count = try owner.query("SELECT count(*) FROM events")
        #expect(count[row: 0, column: 0] == "2")
        #expect(try run("quarantine", "list", "--json").output == "[]\n")

        try spool.setAside(TestSpool.record(id: 3), sqlState: "P0001")
        #expect(try run("quarantine", "drop", "1", "--yes").output == "1 dropped\n")
        #expect(try run("quarantine", "list", "--json").output == "[]\n")
    }
}
