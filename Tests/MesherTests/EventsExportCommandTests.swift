import Foundation
import PostgreSQL
import Schema
import StorageChannel
import TestServers
import Testing

@testable import mesher

struct EventsExportCommandTests {
    private let service: TestService
    private let file = "/tmp/mesher-export.\(UInt64.random(in: .min ... .max))"

    init() throws {
        service = try TestService()
        _ = try service.json("project", "create", "demo", "--json")
    }

    /// An event as one of ours is stored, so many seconds old, whose id ends with a number.
    private func store(_ number: Int, age: Int, level: String = "error", more: String = "") throws {
        let id = String(format: "%032d", number)
        try service.store(
            id: id, age: age, level: level, message: "m",
            payload: #"{"event_id":"\#(id)","n":\#(number),"message":"m","level":"\#(level)","tags":{"a":"b"}\#(more)}"#
        )
    }

    private func numbers(_ text: String) throws -> [Int] {
        try text.split(separator: "\n").map { line in
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return try #require(event["n"] as? Int)
        }
    }

    private func export(_ options: String...) throws -> Execution {
        try service.run(["events", "export", "demo"] + options)
    }

    @Test("it writes all of a project, oldest first over the days, and of them those that match")
    func conditions() throws {
        try store(1, age: 5)
        try store(2, age: 86_400, level: "info")
        try store(3, age: 3)
        try store(4, age: 90_000, more: #","platform":"swift""#)
        try service.open().execute("UPDATE events SET platform = 'swift' WHERE payload ->> 'n' = '4'")
        try service.store(project: 2, message: "another's")
        let all = try export()
        #expect(
            all.status == 0
                && all.errors
                    == "mesher: 4 events exported: 4 for bulks and mesher stream, 0 for the store route, 0 for neither\n",
            "\(all)")
        #expect(try numbers(all.output) == [4, 2, 1, 3])
        #expect(try numbers(export("--where", "level=error").output) == [4, 1, 3])
        #expect(try numbers(export("--where", "level=error", "--where", "platform=swift").output) == [4])
        let today = String(
            try #require(
                try service.open().query(
                    "SELECT to_char(now() AT TIME ZONE 'UTC' - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS')")[
                        row: 0, column: 0]))
        #expect(try numbers(export("--since", today).output) == [1, 3])
        #expect(try numbers(export("--until", today).output) == [4, 2])
        for bad in ["level", "payload=x", "nothing=x"] { #expect(try export("--where", bad).status == 64) }
    }

    @Test("a payload that lacks id or time gets them as its last members, and its line breaks become spaces")
    func lines() throws {
        let id = String(repeating: "a", count: 32)
        try service.store(
            id: id, message: "m",
            payload: "{\n  \"message\":\"m\",\"level\":\"error\",\"tags\":{\"a\":\"b\"},\"c\":\"\u{7f}\u{9b}\"\r\n }")
        let line = try export().output
        let begin = "{   \"message\":\"m\",\"level\":\"error\",\"tags\":{\"a\":\"b\"},\"c\":\"\u{7f}\u{9b}\"  "
        #expect(
            line.hasPrefix(begin + " ,\"timestamp\":\"2") && line.hasSuffix("Z\",\"event_id\":\"\(id)\"}\n"), "\(line)")
        // Of a form that no route makes: still in the export, under the id of its row.
        try service.open().execute("UPDATE events SET payload = '{}', logger = 'csp'")
        let other = try export()
        #expect(other.output == "{\"event_id\":\"\(id)\"}\n" && other.errors.contains("1 for neither"))
        let none = try export("--route", "bulk")
        #expect(none.output == "" && none.errors.contains("0 events exported") && none.errors.contains("1 left out"))
    }

    @Test(
        "a file that was cut anywhere is continued, and is then as if nothing had happened", arguments: [false, true])
    func resume(isGzip: Bool) throws {
        let path = file + (isGzip ? ".gz" : "")
        defer { try? FileManager.default.removeItem(atPath: path) }
        // More than a megabyte, so that a gzip file has several members.
        for number in 1...40 {
            try store(
                number, age: number.isMultiple(of: 2) ? 86_400 : 0,
                more: ",\"x\":\"\(String(repeating: "x", count: 50_000))\"")
        }
        #expect(try export("--output", path).status == 0)
        let whole = try #require(FileManager.default.contents(atPath: path))
        #expect(try export("--output", path).status == 65, "it is there already")
        func text() throws -> String {
            isGzip
                ? try Execution.run("/usr/bin/zcat", [path]).output : try String(contentsOfFile: path, encoding: .utf8)
        }
        let expected = try text()
        #expect(try numbers(expected).count == 40)
        for count in [0, 10, whole.count / 2, whole.count / 2 + 1, whole.count * 3 / 4, whole.count - 1, whole.count] {
            try whole.prefix(count).write(to: URL(fileURLWithPath: path))
            let run = try export("--output", path, "--resume")
            #expect(run.status == 0, "\(count): \(run.errors)")
            #expect(try text() == expected, "\(count)")
        }
        try Data("no export\n".utf8).write(to: URL(fileURLWithPath: path))
        if !isGzip { #expect(try export("--output", path, "--resume").status == 65) }
    }

    @Test("a page has a bounded number of bytes, however large the events, and none is left out")
    func pages() throws {
        let connection = try service.open()
        for number in 1...30 {
            try store(
                number, age: 0,
                more: ",\"x\":\"\(String(repeating: "y", count: number.isMultiple(of: 3) ? 900_000 : 10))\"")
        }
        try connection.execute("UPDATE events SET received_at = (SELECT min(received_at) FROM events)")
        var pages = ExportPages(project: 1, [], range: 0..<Int64.max / 2)
        let partition = try #require(
            try Partition.all(on: connection).first { try connection.query("SELECT FROM \($0.name)").count > 0 })
        var position = TailCursor.Position(receivedAt: 0, id: String(repeating: "0", count: 32))
        var found: [String] = []
        while true {
            let rows = try pages.next(of: partition, after: position, atMost: 1_000, on: connection)
            guard let last = rows.last else { break }
            let bytes = rows.reduce(0) { $0 + ($1[.payload]?.utf8.count ?? 0) }
            #expect(bytes < (4 << 20) + 1_000_000)
            found += rows.map(\.position.id)
            position = last.position
        }
        #expect(found == (1...30).map { String(format: "%032d", $0) })
    }

    @Test("a line goes where the parser that takes events says that it comes back as the same row")
    func routes() throws {
        let id = String(repeating: "1", count: 32)
        func route(_ payload: String, _ values: [String: String]) throws -> ExportLine.Route? {
            var values = values
            for (name, value) in [
                "event_id": id, "timestamp": "2026-01-02T03:04:05.000000Z", "level": "error", "message": "m",
            ]
            where values[name] == nil { values[name] = value }
            values["payload"] = payload
            let row = ExportedRow(
                position: TailCursor.Position(receivedAt: 0, id: id),
                values: EventRecord.Column.allCases.map { values["\($0.declaration.name)"] })
            var maker = ExportLineMaker()
            return maker.line(of: row).route
        }
        #expect(try route(#"{"message":"m","level":"error"}"#, [:]) == .native)
        #expect(
            try route(#"{"message":"m","level":"error","tags":{"b":1.0,"a":[2]}}"#, ["tags": #"{"a": [2], "b": 1.0}"#])
                == .native)
        #expect(try route(#"{"message":"m","level":"error","tags":{"a":1}}"#, ["tags": #"{"a": 2}"#]) == nil)
        #expect(try route(#"{"message":"m"}"#, [:]) == .store)
        #expect(try route(#"{"message":"m","level":"error","tags":[["a","b"]]}"#, ["tags": #"{"a": "b"}"#]) == .store)
        // The tag is the environment only of an event of Sentry's.
        #expect(
            try route(
                #"{"message":"m","level":"error","tags":{"environment":"x"}}"#,
                ["environment": "x", "tags": #"{"environment": "x"}"#]) == .store)
        // Columns that an older release has left empty, and what only the request's header said.
        #expect(try route(#"{"message":"m","level":"error","user":{"id":7}}"#, [:]) == .native)
        #expect(try route(#"{"message":"m","level":"error"}"#, ["sdk_name": "raven"]) == .native)
        #expect(try route(#"{"message":"m","level":"error","release":"2"}"#, ["release": "1"]) == nil)
        #expect(
            try route(
                #"{"event_id":"\#(id)","comments":"c"}"#, ["message": "c", "level": "info", "logger": "user_report"])
                == nil)
    }
}
