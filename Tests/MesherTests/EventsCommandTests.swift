import Foundation
import PostgreSQL
import TestServers
import Testing

struct EventsCommandTests {
    private static func service() throws -> TestService {
        let service = try TestService()
        _ = try service.json("project", "create", "demo", "--json")
        return service
    }

    private static let id = "0c7d4f6e4d5b4d7e9b3a2f6d1c0b9a87"

    @Test("list shows the latest events of the project, newest first, and only those of a level when asked")
    func list() throws {
        let service = try Self.service()
        for age in [30, 10, 20] { try service.store(age: age, message: "\(age) s ago") }
        try service.store(age: 5, level: "info", message: "calm")
        try service.store(project: 2, message: "another's")
        func messages(_ arguments: String...) throws -> [String?] {
            let run = try Execution.run(
                Execution.program("mesher"), ["events", "list", "demo", "--json"] + arguments,
                environment: service.environment)
            let events = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
            return try #require(events).map { $0["message"] as? String }
        }
        #expect(try messages() == ["calm", "10 s ago", "20 s ago", "30 s ago"])
        #expect(try messages("--limit", "2") == ["calm", "10 s ago"])
        #expect(try messages("--level", "error", "--limit", "1") == ["10 s ago"])
        #expect(try messages("--level", "fatal") == [])
    }

    @Test("what a stranger sent cannot speak to the terminal")
    func terminalIsSafe() throws {
        let service = try Self.service()
        try service.store(id: Self.id, message: "\u{1b}[2J\u{9b}31m", payload: "{\"a\": \"\u{9b}\"}")
        for command in [
            ["list", "demo"], ["list", "demo", "--json"], ["show", Self.id], ["show", Self.id, "--json"],
        ] {
            let run = try Execution.run(
                Execution.program("mesher"), ["events"] + command, environment: service.environment)
            #expect(run.status == 0)
            #expect(!run.output.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{9b}" })
        }
    }

    @Test("show prints an event in full, by either form of its id, with the payload as it was sent")
    func show() throws {
        let service = try Self.service()
        let payload = #"{"n": 12345678901234567890123, "n": 1, "a": [ ] }"#
        try service.store(id: Self.id, message: "boom", payload: payload)
        let run = try service.run("events", "show", "0C7D4F6E-4d5b-4d7e-9b3a-2f6d1c0b9a87")
        #expect(run.status == 0)
        #expect(run.output.contains(/\nproject +demo\n/) && run.output.contains("  \(payload)\n"))
        let json = try service.run("events", "show", Self.id, "--json").output
        #expect(json.contains(#""tags":{"a": "b"},"payload":\#(payload)}"#))
    }

    @Test("an event that two projects have is shown for both")
    func showBoth() throws {
        let service = try Self.service()
        _ = try service.json("project", "create", "other", "--json")
        try service.store(project: 1, id: Self.id)
        try service.store(project: 2, id: Self.id)
        #expect(try service.run("events", "show", Self.id, "--json").output.split(separator: "\n").count == 2)
    }

    @Test("an unknown or malformed id ends with 65", arguments: ["abc", String(repeating: "1", count: 32)])
    func showUnknown(id: String) throws {
        #expect(try Self.service().run("events", "show", id).status == 65)
    }

    @Test("tail begins with the latest events and shows each new one once")
    func tail() throws {
        let service = try Self.service()
        for age in [30, 3, 2] { try service.store(age: age, message: "\(age) s ago") }
        let running = try Execution.Running(
            Execution.program("mesher"), ["events", "tail", "demo", "--limit", "1", "--json"],
            environment: service.environment)
        func messages() -> [String] {
            running.output.split(separator: "\n").compactMap { line in
                let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return event?["message"] as? String
            }
        }
        #expect(eventually { messages() == ["2 s ago"] })
        try service.store(message: "new")
        #expect(eventually { messages() == ["2 s ago", "new"] })
        // Committed after a newer one was shown.
        try service.store(age: 4, message: "late")
        #expect(eventually { messages() == ["2 s ago", "new", "late"] })
        running.interrupt()
        _ = running.wait()
    }

    @Test("tail goes on where it was when PostgreSQL has ended its session, and when it let nobody in for a while")
    func tailReconnects() throws {
        let service = try Self.service()
        try service.store(message: "before")
        let running = try Execution.Running(
            Execution.program("mesher"), ["events", "tail", "demo"], environment: service.environment)
        #expect(eventually { running.output.contains("before") })
        let administrator = try Connection.open(service.server.url(), applicationName: "tests")
        try administrator.execute("ALTER DATABASE \(service.database) CONNECTION LIMIT 0")
        try administrator.execute("ALTER DATABASE \(service.database) ALLOW_CONNECTIONS false")
        _ = try administrator.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [service.database])
        #expect(eventually { running.errors.contains("reconnecting") })
        try administrator.execute("ALTER DATABASE \(service.database) ALLOW_CONNECTIONS true")
        try administrator.execute("ALTER DATABASE \(service.database) CONNECTION LIMIT -1")
        try service.store(message: "after")
        #expect(eventually { running.output.contains("after") }, "\(running.errors)")
        #expect(running.output.split(separator: "\n").count { $0.contains("before") } == 1)
        running.interrupt()
        _ = running.wait()
    }
}
