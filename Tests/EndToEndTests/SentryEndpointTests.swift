import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// The routes of Sentry's programs, through a real nginx.
    struct SentryEndpointTests {
        let project: Project
        private let id = UUID().uuidString.replacing("-", with: "").lowercased()

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        private func event(_ message: String = "It broke") -> String {
            #"{"message":"\#(message)","level":"error"}"#
        }

        private func envelope(_ items: String = "", id: String? = nil) -> String {
            "{\"event_id\":\"\(id ?? self.id)\"}\n{\"type\":\"event\"}\n\(event())\n\(items)"
        }

        private func post(
            _ body: [UInt8], to path: String? = nil, _ headers: [(String, String)]? = nil
        ) throws -> HTTPResponse {
            try project.stack.request(
                "POST", path ?? "/api/\(project.id)/envelope/",
                headers ?? [("X-Sentry-Auth", "Sentry sentry_key=\(project.key), sentry_version=7")], body: body)
        }

        private func post(
            _ body: String, to path: String? = nil, _ headers: [(String, String)]? = nil
        ) throws -> HTTPResponse {
            try post(Array(body.utf8), to: path, headers)
        }

        @Test(
            "An envelope is stored from every path that programs make of a DSN",
            arguments: [
                "/api/N/envelope/", "/api/N/envelope", "//api//N//envelope//", "/errors/api/N/envelope/",
                "/a/b/api/N/envelope",
            ])
        func paths(path: String) throws {
            let response = try post(envelope(), to: path.replacing("N", with: "\(project.id)"))
            #expect(response.status == 200)
            #expect(response.text == #"{"id":"\#(id)"}"#)
            #expect(response.header("Access-Control-Allow-Origin") == "*")
            #expect(try project.count() == 1)
        }

        @Test(
            "A single event is stored from the paths of older programs",
            arguments: ["/api/N/store/", "/api/N/store", "/api/store/", "/errors/api/N/store/", "/errors/api/store/"])
        func storePaths(path: String) throws {
            let response = try post(event(), to: path.replacing("N", with: "\(project.id)"))
            #expect(response.status == 200)
            #expect(response.id?.count == 32)
            #expect(try project.count() == 1)
        }

        @Test("The key may stand in the query, in Authorization, or in the envelope alone")
        func keys() throws {
            let path = "/api/\(project.id)/envelope/"
            let dsn = "http://\(project.key):secret@elsewhere.example/p/\(project.id)"
            let responses = [
                try post(envelope(), to: path + "?sentry_version=7&sentry_key=\(project.key)", []),
                try post(envelope(), to: path, [("Authorization", "Sentry sentry_key=\(project.key)")]),
                try post("{\"dsn\":\"\(dsn)\"}\n{\"type\":\"event\"}\n\(event())", to: path, []),
            ]
            #expect(responses.map(\.status) == [200, 200, 200])
            #expect(try project.count() == 2)
        }

        @Test("No key, a malformed one, an unknown one, and one of another project are told apart")
        func wrongKeys() throws {
            let unknown = String(repeating: "0", count: 32)
            let key = project.key
            func refusal(_ path: String, _ key: String?) throws -> HTTPResponse {
                try post(envelope(), to: path, key.map { [("X-Sentry-Auth", "Sentry sentry_key=\($0)")] } ?? [])
            }
            let path = "/api/\(project.id)/envelope/"
            let answers = [
                try refusal(path, nil), try refusal(path, "7"), try refusal(path, unknown),
                try refusal("/api/\(project.id + 1)/envelope/", key), try refusal(path, key + ", sentry_version=8"),
            ]
            #expect(answers.map(\.status) == [401, 400, 403, 403, 400])
            for answer in answers {
                let detail = try #require(answer.json["detail"] as? String)
                #expect(answer.header("X-Sentry-Error") == detail)
                #expect((answer.json["causes"] as? [String])?.count == 1)
                #expect(answer.header("Access-Control-Allow-Origin") == "*")
                let exposed = answer.header("Access-Control-Expose-Headers")?.lowercased() ?? ""
                for name in ["x-sentry-error", "x-sentry-rate-limits", "retry-after"] {
                    #expect(exposed.contains(name))
                }
            }
            #expect(try project.count() == 0)
        }

        @Test("A body in chunks, of which nobody knows the length beforehand, is stored, be it small or large")
        func chunks() throws {
            for attachment in ["", String(repeating: "x", count: 300_000)] {
                let body = envelope("{\"type\":\"attachment\"}\n\(attachment)\n", id: attachment.isEmpty ? id : nil)
                let connection = try HTTPConnection(port: project.stack.port)
                connection.send(
                    "POST", "/api/\(project.id)/envelope/",
                    [("X-Sentry-Auth", "Sentry sentry_key=\(project.key)"), ("Transfer-Encoding", "chunked")])
                for start in stride(from: 0, to: body.utf8.count, by: 50_000) {
                    let chunk = Array(body.utf8.dropFirst(start).prefix(50_000))
                    connection.send(Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8))
                }
                connection.send("0\r\n\r\n")
                #expect(try connection.receive().status == 200)
            }
        }

        @Test("An attachment of 19 MiB is read past; beyond 20 MiB nginx answers 413 as Mesher would")
        func largeEnvelopes() throws {
            func body(_ size: Int) -> [UInt8] {
                Array(envelope("{\"type\":\"attachment\",\"length\":\(size)}\n").utf8)
                    + [UInt8](repeating: 0, count: size)
            }
            #expect(try post(body(19 << 20)).status == 200)
            #expect(try project.count() == 1)
            let refused = try post(body(20 << 20))
            #expect(refused.status == 413)
            #expect(refused.text == #"{"detail":"payload too large","causes":["payload_too_large"]}"#)
            #expect(refused.header("X-Sentry-Error") == "payload too large")
            #expect(refused.header("Access-Control-Allow-Origin") == "*")
        }

        @Test("Sent again, with other content too, an event is answered alike, and the first one stays")
        func duplicates() throws {
            let first = try post(envelope())
            let second = try post(envelope().replacing("It broke", with: "It broke again"))
            #expect(first.status == 200 && second.status == 200)
            #expect(first.text == second.text)
            let rows = try project.stack.query("SELECT message FROM events WHERE project_id = \(project.id)")
            #expect(rows == [["It broke"]])
        }

        @Test(
            "A browser's report is stored from every path that policies name",
            arguments: [
                "/api/N/security/", "/api/N/csp-report/", "/api/N/csp-report", "/errors/api/N/csp-report/",
                "/api/N/nel/",
            ])
        func reports(path: String) throws {
            let report = #"{"csp-report":{"violated-directive":"img-src","blocked-uri":"https://evil.example/a.png"}}"#
            let query = "?sentry_key=\(project.key)&sentry_environment=beta%3Aeu&sentry_release=7.94.0"
            let response = try post(
                report, to: path.replacing("N", with: "\(project.id)") + query,
                [("Content-Type", "application/csp-report")])
            #expect(response.status == 200)
            let rows = try project.stack.query(
                """
                SELECT environment, release, payload->>'environment', payload->>'release', payload->'csp-report' IS NULL
                FROM events WHERE project_id = \(project.id)
                """)
            #expect(rows == [["beta:eu", "7.94.0", "beta:eu", "7.94.0", "f"]])
        }

        @Test("The limit is told by the 200 that used it up and by the 429 that follows; other items pass")
        func rateLimit() throws {
            try project.stack.mesher("project", "set", project.slug, "--rate-limit", "1", "--rate-limit-window", "60")
            // Whoever knows of a key that is made after the limit knows the limit, too.
            let output = try project.stack.mesher("key", "create", project.slug, "--json")
            let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
            let key = try #require(object?["key"] as? String)
            var first: HTTPResponse?
            let isKnown = try eventually {
                first = try post(event(), to: "/api/\(project.id)/store/?sentry_key=\(key)", [])
                return first?.status != 403
            }
            try #require(isKnown)
            #expect(first?.status == 200 && first?.header("X-Sentry-Rate-Limits") != nil)
            let refused = try post(envelope(), to: nil, [("X-Sentry-Auth", "Sentry sentry_key=\(key)")])
            #expect(refused.status == 429)
            let seconds = try #require(refused.header("Retry-After").flatMap { Int($0) })
            #expect((1...60).contains(seconds))
            #expect(
                refused.header("X-Sentry-Rate-Limits")
                    == "\(seconds):error;default;feedback;security:project:rate_limited")
            let session = try post("{}\n{\"type\":\"session\"}\n{}\n")
            #expect(session.status == 200 && session.text == "{}")
        }

        @Test("A browser may ask before it posts, whatever the project and from any origin")
        func preflight() throws {
            for route in ["envelope", "store", "security", "csp-report", "nel"] {
                let response = try project.stack.request(
                    "OPTIONS", "/api/\(project.id)/\(route)/",
                    [("Origin", "https://shop.example"), ("Access-Control-Request-Headers", "x-sentry-auth")])
                #expect(response.status == 204)
                #expect(response.header("Access-Control-Allow-Origin") == "*")
                #expect(response.header("Access-Control-Allow-Headers")?.contains("X-Sentry-Auth") == true)
            }
        }

        @Test("What cannot be taken below Sentry's paths is JSON, never a page")
        func otherRequests() throws {
            let wrongMethod = try project.stack.request("GET", "/api/\(project.id)/envelope/")
            #expect(wrongMethod.status == 405)
            #expect(wrongMethod.json["detail"] as? String == "method not allowed")
            #expect(try post("", to: "/api/\(project.id)/minidump/").status == 404)
            let connection = try HTTPConnection(port: project.stack.port)
            connection.send(
                "POST", "/api/\(project.id)/envelope/", [("Transfer-Encoding", "chunked")], body: Array("zz\r\n".utf8))
            let broken = try connection.receive()
            #expect(broken.status == 400)
            #expect(broken.json["detail"] as? String == "malformed request")
        }
    }
}
