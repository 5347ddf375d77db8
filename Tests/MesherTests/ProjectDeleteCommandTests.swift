import Foundation
import PostgreSQL
import TestServers
import Testing

struct ProjectDeleteCommandTests {
    /// Projects p1 and p2, with three events each.
    private static func service() throws -> TestService {
        let service = try TestService()
        for project in 1...2 {
            _ = try service.addProject()
            for age in [0, 0, 86_400] { try service.store(project: project, age: age) }
        }
        return service
    }

    private static func count(_ service: TestService, _ from: String) throws -> Int? {
        try service.open().query("SELECT count(*) FROM \(from)")[row: 0, column: 0].flatMap { Int($0) }
    }

    @Test("delete shows what there is, and without an answer it does nothing")
    func asks() throws {
        let service = try Self.service()
        let trial = try service.run("project", "delete", "p1", "--dry-run")
        #expect(trial.status == 0 && trial.errors.isEmpty)
        #expect(trial.output.hasPrefix("project  p1 (id 1)\nkeys     1, 1 of them in force\nstored   3 events, about "))
        let json = try service.json("project", "delete", "p1", "--dry-run", "--json") as? [String: Any]
        #expect((json?["stored"] as? [String: Any])?["events"] as? Int == 3)
        let unanswered = try service.run("project", "delete", "p1")
        #expect(unanswered.status == 64 && unanswered.output == trial.output)
        #expect(try Self.count(service, "projects") == 2 && Self.count(service, "events") == 6)
        #expect(try service.run("project", "delete", "nobody", "--yes").status == 65)
    }

    @Test("delete removes a project, its keys and its events, says who has done that, and the slug is free")
    func delete() throws {
        let service = try Self.service()
        let run = try service.run("project", "delete", "p1", "--yes")
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("project  p1 (id 1)\n"))
        #expect(run.output.hasSuffix("\nproject p1 (id 1) is deleted, its keys are refused\n3 events deleted\n"))
        let lines = run.errors.split(separator: "\n")
        #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("mesher: ") && $0.contains("(uid ") })
        #expect(lines.first?.hasSuffix(" deletes project 1 (p1)") == true)
        #expect(lines.last?.hasSuffix(" has deleted project 1 (p1): 3 events") == true)
        #expect(try Self.count(service, "events") == 3 && Self.count(service, "events WHERE project_id = 2") == 3)
        #expect(try Self.count(service, "api_keys") == 1)
        #expect(try service.run("project", "show", "p1").status == 65)
        let again = try service.run("project", "delete", "1", "--yes")
        #expect(again.status == 65 && again.errors.contains("is deleted, and so are its events"))
        let created = try service.json("project", "create", "p1", "--json") as? [String: Any]
        #expect(created?["id"] as? Int == 3)
    }

    @Test("what delete has left is deleted by the same command, by slug or id, or by maintenance")
    func later() throws {
        let service = try Self.service()
        let run = try service.run("project", "delete", "p1", "--yes", "--later")
        #expect(run.output.hasSuffix("\nits events are left to mesher db maintain\n"))
        #expect(try Self.count(service, "projects") == 1 && Self.count(service, "events") == 6)
        #expect(try service.run("project", "delete", "p1", "--dry-run").output.contains("events of it are left"))
        #expect(try service.run("project", "delete", "p1").output == "3 events deleted\n")
        try service.store(project: 1)
        #expect(try service.run("project", "delete", "1").output == "1 events deleted\n")
        for _ in 0..<2 { try service.store(project: 1) }
        let plan = try service.run("db", "maintain", "--dry-run").output
        #expect(plan.hasSuffix("\nwould delete events of deleted projects: 1 (p1)\n"))
        #expect(try Self.count(service, "events") == 5)
        #expect(try service.run("db", "maintain").output.hasSuffix("\ndeleted 2 events of deleted projects: 1 (p1)\n"))
        #expect(try Self.count(service, "events") == 3)
        let json = try service.json("db", "maintain", "--json") as? [String: Any]
        #expect((json?["deleted_projects"] as? [Int])?.isEmpty == true && json?["deleted_of_projects"] as? Int == 0)
    }

    @Test("a deletion that is killed goes on where it was, and what it has deleted is gone")
    func interrupted() throws {
        let service = try TestService()
        _ = try service.addProject()
        try service.store()
        try service.open().execute(
            """
            INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload)
            SELECT 1, gen_random_uuid(), now() - n * interval '1 microsecond', now(), (now() AT TIME ZONE 'UTC')::date,
                'error', '', '{}' FROM generate_series(1, 30000) AS n
            """)
        let running = try Execution.Running(
            Execution.program("mesher"), ["project", "delete", "p1", "--yes"], environment: service.environment)
        #expect(try eventually { try Self.count(service, "events") ?? 0 < 30_001 })
        running.interrupt()
        _ = running.wait()
        #expect(try Self.count(service, "projects") == 0)
        let left = try Self.count(service, "events") ?? 0
        #expect(left < 30_001)
        let maintenance = try service.run("db", "maintain")
        #expect(maintenance.status == 0)
        #expect(try Self.count(service, "events") == 0)
    }
}
