import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// What is stored of a project that wants personal data removed.
    struct ScrubTests {
        private static let event = #"{"message":"token=abcdef","level":"error","user":{"email":"bob@example.com"}}"#

        /// A project with these rules, and a key that is younger than they are: who knows it knows them.
        private func project(_ rules: String) throws -> Project {
            let stack = try EndToEnd.stack()
            let project = try Project.create(on: stack)
            _ = try stack.mesher("project", "set", project.slug, "--scrub", rules)
            let output = try stack.mesher("key", "create", project.slug, "--json")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
            let key = try #require(object["key"] as? String)
            let isKnown = try eventually {
                try stack.post("", key: key, [("Content-Encoding", "none")]).status == 415
            }
            try #require(isKnown, "the key is known within its time")
            return Project(stack: stack, id: project.id, slug: project.slug, key: key, dsn: project.dsn)
        }

        @Test("Through every door, what is to be removed is stored nowhere, and the payload says where it was")
        func doors() throws {
            let project = try project("default,email")
            let report =
                #"{"csp-report":{"effective-directive":"img-src","blocked-uri":"https://e.example/?token=abcdef"}}"#
            let comment =
                #"{"event_id":"\#(String(repeating: "ab", count: 16))","comments":"token=abcdef, bob@example.com"}"#
            // Beyond 64 KiB another worker takes it.
            let large = #"{"extra":{"x":"\#(String(repeating: "x", count: 100_000))"},"# + Self.event.dropFirst()
            for (target, body) in [
                ("/api/v1/events", Self.event), ("/api/v1/events", large),
                ("/api/v1/events/bulk", "[\(Self.event),\(Self.event)]"), ("/api/\(project.id)/store/", Self.event),
                ("/api/\(project.id)/envelope/", "{}\n{\"type\":\"event\"}\n\(Self.event)"),
                ("/api/\(project.id)/envelope/", "{}\n{\"type\":\"user_report\"}\n\(comment)"),
                ("/api/\(project.id)/security/", report),
            ] {
                let status = try project.stack.post(body, to: target, key: project.key).status
                #expect(status == 200 || status == 202, "\(target)")
            }
            let client = try Streams(project: project).open(throughNginx: true)
            client.send(Self.event)
            #expect(client.receive().isAccepted)
            client.close()
            let rows = try project.stack.query(
                """
                SELECT count(*), count(*) FILTER (WHERE e::text ~ 'abcdef|bob@'),
                    count(*) FILTER (WHERE payload::text LIKE '%[Filtered]%'),
                    count(*) FILTER (WHERE message LIKE '%token=[Filtered]%'),
                    count(*) FILTER (WHERE user_id = '[Filtered]')
                FROM events AS e WHERE project_id = \(project.id)
                """)
            #expect(rows == [["9", "0", "9", "8", "7"]])
        }

        @Test("What is switched off is stored as it is sent")
        func off() throws {
            let project = try project("default")
            _ = try project.stack.mesher("project", "set", project.slug, "--scrub", "off")
            let isHeard = try eventually {
                #expect(try project.post(Self.event).status == 202)
                return try project.stack.query(
                    "SELECT count(*) FROM events WHERE project_id = \(project.id) AND message = 'token=abcdef'") != [
                        ["0"]
                    ]
            }
            #expect(isHeard)
        }
    }
}
