import Foundation
import PostgreSQL
import TestServers
import Testing

@testable import mesher

struct EventsDeleteCommandTests {
    private let spool = TestSpool()
    private let service: TestService

    init() throws {
        var service = try TestService()
        service.environment["MESHER_SPOOL_DIR"] = spool.path
        service.environment["MESHER_STATE_DIR"] = spool.path
        self.service = service
        for name in ["demo", "other"] { _ = try service.json("project", "create", name, "--json") }
    }

    private static let ann = #"{"user":{"id":"ann-7","email":"ann@example.org"}}"#

    private func run(_ arguments: String...) throws -> Execution {
        try service.run(["events", "delete"] + arguments)
    }

    private func left() throws -> String? {
        let rows = try service.open().query(
            "SELECT string_agg(message, ' ' ORDER BY message) FROM (SELECT DISTINCT message FROM events) AS messages")
        return rows[row: 0, column: 0]
    }

    @Test("it shows how many on which days, deletes them alone, and logs who and what, not whose they were")
    func delete() throws {
        try service.store(message: "hers", payload: Self.ann)
        try service.store(age: 86_400, message: "hers", payload: Self.ann)
        try service.store(message: "his", payload: #"{"user":{"id":"bob","email":"bob@example.org"}}"#)
        try service.store(project: 2, message: "elsewhere", payload: Self.ann)
        for option in [["--user", "ann-7"], ["--email", "Ann@Example.org"]] {
            let plan = try service.run(["events", "delete", "demo", "--dry-run", "--json"] + option)
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [String: Any])
            #expect(report["events"] as? Int == 2 && report["deleted"] as? Bool == false)
            #expect((report["days"] as? [[String: Any]])?.map { $0["events"] as? Int } == [1, 1])
        }
        #expect(try left() == "elsewhere hers his")
        let done = try run("demo", "--email", "ann@example.org", "--yes")
        #expect(done.status == 0 && done.output.hasSuffix("2 events deleted, 0 in this host's quarantine\n"))
        #expect(done.errors.contains("has deleted events of one e-mail address of project 1 (demo): 2,"), "\(done)")
        #expect(!done.errors.contains("ann") && !done.output.contains("ann"))
        #expect(try left() == "elsewhere his")
        #expect(try run("demo", "--email", "ann@example.org", "--yes").output.hasPrefix("0 events deleted"))
    }

    @Test("without --yes it asks at a terminal, and elsewhere does nothing")
    func asks() throws {
        try service.store(message: "hers", payload: Self.ann)
        let mute = try run("demo", "--user", "ann-7")
        #expect(mute.status == 64 && mute.errors.contains("--yes"), "\(mute)")
        let command = "\(Execution.program("mesher")) events delete demo --user ann-7"
        func answer(_ text: String) throws -> Execution {
            try Execution.run(
                "/usr/bin/script", ["-qec", command, "/dev/null"],
                environment: service.environment.merging(["TERM": "xterm"]) { $1 }, input: text)
        }
        let no = try answer("n\n")
        #expect(no.status == 64 && no.output.contains("Delete these events of project demo for good? [y/N]"), "\(no)")
        #expect(try left() == "hers")
        let yes = try answer("y\n")
        #expect(yes.status == 0 && yes.output.contains("1 events deleted"), "\(yes)")
        #expect(try left() == nil)
    }

    @Test("what the spool has is counted, named and left to be stored, with 75; what the quarantine has goes")
    func waiting() throws {
        try service.store(message: "hers", payload: Self.ann)
        let records = [
            TestSpool.record(id: 1, payload: Self.ann), TestSpool.record(id: 2),
            TestSpool.record(project: 2, id: 3, payload: Self.ann), TestSpool.record(id: 4, payload: Self.ann),
        ]
        try spool.store(records)
        for (record, sqlState) in zip(records, ["P0001", "P0001", "P0001", "22P02"]) {
            try spool.setAside(record, sqlState: sqlState)
        }
        try spool.setAside(TestSpool.record(id: 5, payload: "{broken"), sqlState: "22P02")
        let plan = try run("demo", "--user", "ann-7", "--dry-run")
        #expect(plan.status == 0)
        #expect(plan.output.contains("1 events, 2 in this host's quarantine\n2 in this host's spool, not deleted\n"))
        #expect(plan.output.contains("1 parts of this host's spool and quarantine cannot be searched"), "\(plan)")

        let done = try run("demo", "--user", "ann-7", "--yes")
        #expect(
            done.status == 75 && done.errors.contains("not all: this host's spool has 2 of these events"), "\(done)")
        #expect(try left() == nil)
        let kept = try service.run("quarantine", "list").output.split(separator: "\n").dropFirst()
        #expect(kept.compactMap { $0.split(separator: " ").first } == ["2", "3", "5"])

        // Delivered.
        for file in try FileManager.default.contentsOfDirectory(atPath: spool.path) where file.hasSuffix(".segment") {
            try FileManager.default.removeItem(atPath: spool.path + "/" + file)
        }
        #expect(try run("demo", "--user", "ann-7", "--yes").status == 0)
    }

    @Test("a time bounds what waits as well")
    func waitingBefore() throws {
        try spool.store([TestSpool.record(id: 1, payload: Self.ann)])
        #expect(try run("demo", "--before", "2026-01-02T03:04:05.000006Z", "--yes").status == 0)
        #expect(try run("demo", "--before", "2026-01-02T03:04:05.000007Z", "--yes").status == 75)
    }

    @Test(
        "what is no selection is refused",
        arguments: [
            ([], 64), (["--user", "a", "--email", "b"], 64), (["--user", ""], 64), (["--before", "yesterday"], 64),
            (["--before", "01/02/2026"], 64), (["--before", "2026-02-30"], 65), (["--event", "xyz"], 65),
            (["--user", String(repeating: "a", count: 128)], 64),
            (["--event", String(repeating: "1", count: 32), "--before", "2026-01-01"], 64),
        ] as [([String], Int32)])
    func refused(options: [String], status: Int32) throws {
        try service.store(message: "stays", payload: Self.ann)
        let run = try service.run(["events", "delete", "demo", "--yes"] + options)
        #expect(run.status == status, "\(run)")
        #expect(try left() == "stays")
    }
}
