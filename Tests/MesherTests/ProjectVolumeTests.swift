import Foundation
import PostgreSQL
import TestServers
import Testing

@testable import mesher

struct ProjectVolumeTests {
    private static func show(_ service: TestService, _ options: String...) throws -> [String: Any] {
        let run = try service.run(["project", "show", "p1", "--json"] + options)
        return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    @Test("show counts what a project has stored, of each day, and nobody else's")
    func exact() throws {
        let service = try TestService()
        for _ in 0..<2 { _ = try service.addProject() }
        let payload = #"{"a":"\#(String(repeating: "x", count: 300))"}"#
        for age in [0, 0, 86_400] { try service.store(age: age, payload: payload) }
        try service.store(project: 2)
        let show = try Self.show(service, "--days", "3")
        let stored = try #require(show["stored"] as? [String: Any])
        #expect(stored["events"] as? Int == 3 && stored["precision"] as? String == "exact")
        #expect((900...5_000).contains(stored["bytes_estimate"] as? Int ?? 0))
        let days = try #require(show["days"] as? [[String: Any]])
        #expect(days.map { $0["events"] as? Int } == [2, 1, 0])
        let text = try service.run("project", "show", "p1").output
        #expect(text.contains("\nstored        3 events, about 0.0 MiB\n"))
        #expect(text.contains("\n\nDAY         EVENTS\n"))
        #expect(try service.run("project", "show", "p2", "--days", "0").output.contains("stored        1 event, "))
    }

    @Test("a day with very many events is not counted, and the estimate says so")
    func estimate() throws {
        let service = try TestService()
        for _ in 0..<2 { _ = try service.addProject() }
        try service.store(project: 2)
        try service.open().execute(
            """
            INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, payload)
            SELECT 1 + n / 20000, gen_random_uuid(), now(), now(), (now() AT TIME ZONE 'UTC')::date, 'error', '', '{}'
            FROM generate_series(0, 29999) AS n;
            ANALYZE events;
            """)
        let stored = try #require(try Self.show(service)["stored"] as? [String: Any])
        #expect(stored["precision"] as? String == "estimate")
        #expect((18_000...22_000).contains(stored["events"] as? Int ?? 0))
        #expect(try service.run("project", "show", "p1").output.contains("stored        about "))
    }

    @Test("the rows of a plan are those of its outermost node")
    func plan() {
        let plan = """
            [
              {
                "Plan": {
                  "Node Type": "Append",
                  "Plan Rows": 1234,
                  "Plans": [
                    {
                      "Plan Rows": 7,
            """
        #expect(ProjectVolume.plannedRows(plan) == 1_234)
        #expect(ProjectVolume.plannedRows("[]") == nil)
    }
}
