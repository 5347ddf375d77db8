import Foundation
import TestServers
import Testing

extension EndToEnd {
    struct KeyTests {
        let project: Project
        private let event = Array(#"{"message":"m","level":"info"}"#.utf8)

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        private func post(_ headers: [(String, String)], query: String = "") throws -> HTTPResponse {
            try project.stack.request("POST", "/api/v1/events" + query, headers, body: event)
        }

        @Test("The key is found in every place and form that the contract names")
        func forms() throws {
            let key = project.key
            let basic = Data("\(key):".utf8).base64EncodedString()
            let basicWithSecret = Data("\(key):secret".utf8).base64EncodedString()
            let headers = [
                ("X-Sentry-Auth", "Sentry sentry_key=\(key), sentry_version=7, sentry_client=test/1"),
                ("X-Sentry-Auth", "Sentry sentry_version=7,sentry_key=\(key)"),
                ("x-sentry-auth", "SENTRY Sentry_Key=\(key)"),
                ("X-Sentry-Auth", key),
                ("Authorization", "Bearer \(key)"),
                ("Authorization", "bearer \(key)"),
                ("Authorization", "Sentry sentry_key=\(key), sentry_version=7"),
                ("Authorization", "Basic \(basic)"),
                ("Authorization", "Basic \(basicWithSecret)"),
                ("Authorization", key),
                ("Authorization", "Bearer \(key.uppercased())"),
            ]
            for header in headers {
                #expect(try post([header]).status == 202, "\(header)")
            }
            #expect(try post([], query: "?sentry_key=\(key)").status == 202)
            #expect(try post([], query: "?sentry_version=7&sentry_key=\(key)&x=y").status == 202)
        }

        @Test("The first key that is found counts")
        func order() throws {
            let other = String(repeating: "0", count: 32)
            #expect(
                try post(
                    [("Authorization", "Bearer \(other)"), ("X-Sentry-Auth", project.key)],
                    query: "?sentry_key=\(other)"
                )
                .status == 202)
            #expect(try post([("X-Sentry-Auth", other), ("Authorization", "Bearer \(project.key)")]).status == 401)
            #expect(try post([("Authorization", "Bearer \(project.key)")], query: "?sentry_key=\(other)").status == 202)
        }

        @Test(
            "Without a key that is known, the answer is 401",
            arguments: [
                [:], ["Authorization": "Bearer 00000000000000000000000000000000"], ["Authorization": "Bearer x"],
                ["X-Sentry-Auth": "Sentry sentry_version=7"], ["Authorization": "Basic !!!"], ["Authorization": ""],
            ] as [[String: String]])
        func unauthorized(headers: [String: String]) throws {
            let response = try post(headers.map { ($0.key, $0.value) })
            #expect(response.status == 401)
            #expect(response.text == #"{"error":"unauthorized","reason":"unauthorized"}"#)
            #expect(response.header("WWW-Authenticate") == "Bearer")
            #expect(response.header("Access-Control-Allow-Origin") == "*")
        }

        @Test("A key that is revoked is refused soon, everywhere")
        func revoked() throws {
            try project.stack.mesher("key", "revoke", project.key, "--yes")
            let revokedAt = Date()
            let isRefused = try eventually { try project.post("{}").status == 401 }
            #expect(isRefused)
            #expect(Date().timeIntervalSince(revokedAt) < 1)
            // The worker for large bodies, too.
            let isRefusedInBulk = try eventually { try project.postBulk("[]").status == 401 }
            #expect(isRefusedInBulk)
        }

        @Test("A key that is made later is known soon, also to an edge that has refused it before")
        func madeLater() throws {
            let output = try project.stack.mesher("key", "create", project.slug, "--json")
            let made = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
            let key = try #require(made["key"] as? String)
            let isTaken = try eventually {
                try project.stack.post(#"{"message":"m","level":"info"}"#, key: key).status == 202
            }
            #expect(isTaken)
        }

        @Test("No key is written whole to a log, however it came")
        func logs() throws {
            for header in ["X-Sentry-Auth", "Authorization"] { _ = try post([(header, "Bearer \(project.key)")]) }
            #expect(try post([], query: "?sentry_key=\(project.key)").status == 202)
            let logs = ["/nginx/mesher.log", "/nginx/error.log", "/watchdog.log"].map { project.stack.folder + $0 }
            let isWritten = try eventually {
                try String(contentsOfFile: logs[0], encoding: .utf8).contains("/api/v1/events")
            }
            #expect(isWritten)
            for log in logs {
                #expect(try !String(contentsOfFile: log, encoding: .utf8).contains(project.key), "\(log)")
            }
        }
    }
}
