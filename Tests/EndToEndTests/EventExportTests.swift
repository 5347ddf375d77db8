import Foundation
import RecordedInputs
import TestServers
import Testing

extension EndToEnd {
    /// What is exported is sent again, by the whole of Mesher.
    struct EventExportTests {
        private let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// All that a row says but project and time of receipt, sorted by id.
        private func rows(of project: Project) throws -> [[String]] {
            try project.stack.query(
                """
                SELECT event_id, "timestamp", level, md5(message), coalesce(platform, '-'), coalesce(environment, '-'),
                    coalesce(release, '-'), coalesce(server_name, '-'), coalesce(logger, '-'), coalesce(transaction, '-'),
                    coalesce(sdk_name, '-'), coalesce(sdk_version, '-'), coalesce(tags::text, '-'), coalesce(dist, '-'),
                    coalesce(exception_type, '-'), coalesce(user_id, '-'), md5(translate(payload::text, E'\\r\\n', '  '))
                FROM events WHERE project_id = \(project.id) ORDER BY event_id
                """)
        }

        private func export(_ options: String...) throws -> Execution {
            try run(["events", "export", project.slug] + options)
        }

        private func run(_ arguments: [String], input: String = "") throws -> Execution {
            try Execution.run(
                project.stack["MESHER_BIN"] + "/mesher", arguments,
                environment: project.stack.variables.merging(["no_proxy": "127.0.0.1"]) { $1 }, input: input)
        }

        private static let native = [
            #"{"event_id":"00000000000000000000000000000001","timestamp":"2026-01-02T03:04:05.000006Z","message":"é\n\u0000 1","level":"error","user":{"id":7},"tags":{"b":1.50,"a":"x"},"n":12345678901234567890123}"#,
            "{\"event_id\":\"00000000-0000-0000-0000-000000000002\",\"timestamp\":1767000000.25,\r\n\t\"message\" : \"2\",\"level\":\"info\"}",
        ]
        private static let lacking = [
            #"{"message":"no id, no time","level":"debug"}"#,
            #"{ "event_id":null,"timestamp":null,"message":"nulls","level":"fatal" }"#,
            #"{"timestamp":"2999-01-01T00:00:00Z","message":"from the future","level":"warning"}"#,
        ]
        private static let sentry = [
            #"{"event_id":"00000000000000000000000000000003","timestamp":1767000001,"exception":{"values":[{"type":"E","value":"v"}]},"tags":[["environment","prod"]],"release":7}"#,
            #"{"event_id":"00000000000000000000000000000004","logentry":{"message":"%s!","params":["hi"]},"level":"WARN","user":{"email":"a@b.example"}}"#,
        ]

        @Test(
            "bulk, mesher stream and the store route take back what is exported for them as the same rows, byte for byte"
        )
        func roundTrip() throws {
            for body in Self.native + Self.lacking { #expect(try project.post(body).status == 202) }
            let envelope =
                "{\"event_id\":\"00000000000000000000000000000005\"}\n{\"type\":\"event\"}\n{\"message\":\"other id\",\"event_id\":\"00000000000000000000000000000006\"}"
            for body in Self.sentry {
                let answer = try project.stack.post(body, to: "/api/\(project.id)/store/", key: project.key)
                #expect(answer.status == 200, "\(answer)")
            }
            #expect(
                try project.stack.post(envelope, to: "/api/\(project.id)/envelope/", key: project.key).status == 200)
            let before = try rows(of: project)
            try #require(before.count == 8)

            let bulk = try export("--route", "bulk")
            #expect(
                bulk.status == 0 && bulk.errors.contains("5 for bulks and mesher stream, 0 for the store route"),
                "\(bulk)")
            let store = try export("--route", "store")
            #expect(store.errors.contains("3 for the store route"), "\(store)")
            let all = try export()
            #expect(
                all.errors.contains("8 events exported: 5 for bulks and mesher stream, 3 for the store route, 0 for"))
            #expect(Set(all.output.split(separator: "\n")) == Set((bulk.output + store.output).split(separator: "\n")))

            let (other, third) = try (Project.create(on: project.stack), Project.create(on: project.stack))
            #expect(try other.postBulk(bulk.output, [("Content-Type", "application/x-ndjson")]).status == 202)
            #expect(try run(["stream", third.dsn], input: bulk.output).status == 0)
            for project in [other, third] {
                let sent = try run(
                    ["send", project.dsn, "--file", "-", "--lines", "--route", "store"], input: store.output)
                #expect(sent.status == 0, "\(sent)")
                let after = try rows(of: project)
                #expect(after.map { $0.dropLast() } == before.map { $0.dropLast() })
                // Those that said their id and their time are the same to the last byte.
                let whole = zip(before, after).filter { $0.last == $1.last }.map { $0.0[0].suffix(1) }
                #expect(Set(["1", "2", "3"]).isSubset(of: whole.map(String.init)), "\(whole)")
            }
        }

        @Test("what was deleted and is sent again is there again, near midnight as well")
        func emptied() throws {
            for body in Self.native { #expect(try project.post(body).status == 202) }
            // As near midnight, when storage makes them itself.
            _ = try project.stack.query(
                """
                INSERT INTO event_claims
                SELECT project_id, event_id, CAST(received_at AT TIME ZONE 'UTC' + interval '12 hours' AS date)
                FROM events WHERE project_id = \(project.id)
                ON CONFLICT DO NOTHING
                """)
            let before = try rows(of: project)
            let lines = try export("--route", "bulk").output
            let deleted = try run(["events", "delete", project.slug, "--before", "9000-01-01", "--yes"])
            #expect(deleted.status == 0 && deleted.output.contains("2 events deleted"), "\(deleted)")
            #expect(try project.count() == 0)
            #expect(try project.stack.query("SELECT FROM event_claims WHERE project_id = \(project.id)").isEmpty)
            #expect(try project.postBulk(lines, [("Content-Type", "application/x-ndjson")]).status == 202)
            #expect(try rows(of: project) == before)
        }
    }
}
