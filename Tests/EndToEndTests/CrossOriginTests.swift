import Foundation
import TestServers
import Testing

extension EndToEnd {
    struct CrossOriginTests {
        private let stack: Stack

        init() throws {
            stack = try EndToEnd.stack()
        }

        private func items(_ value: String?) -> [String] {
            (value ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        }

        @Test(
            "A browser may ask before it posts, from any origin", arguments: ["/api/v1/events", "/api/v1/events/bulk"])
        func preflight(target: String) throws {
            let response = try stack.request(
                "OPTIONS", target,
                [
                    ("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST"),
                    ("Access-Control-Request-Headers", "content-type,x-sentry-auth,authorization,content-encoding"),
                ])
            #expect(response.status == 204)
            #expect(response.body.isEmpty)
            #expect(response.header("Access-Control-Allow-Origin") == "*")
            #expect(response.header("Access-Control-Max-Age") == "3600")
            #expect(items(response.header("Access-Control-Allow-Methods")).contains("post"))
            let allowed = items(response.header("Access-Control-Allow-Headers"))
            for header in ["content-type", "x-sentry-auth", "authorization", "content-encoding"] {
                #expect(allowed.contains(header) || allowed == ["*"], "\(header)")
            }
        }

        @Test("Answers can be read by the page that asked, with the headers that say when to come again")
        func answers() throws {
            let project = try Project.create(on: stack)
            let origin = [("Origin", "https://shop.example")]
            let answers = [
                try project.post(#"{"message":"m","level":"info"}"#, origin), try project.post("{", origin),
                try stack.request("POST", "/api/v1/events", origin),
            ]
            #expect(answers.map(\.status) == [202, 400, 401])
            for answer in answers {
                #expect(
                    answer.headers.filter { $0.name.lowercased() == "access-control-allow-origin" }.map(\.value) == [
                        "*"
                    ])
                let exposed = items(answer.header("Access-Control-Expose-Headers"))
                for header in ["retry-after", "ratelimit", "ratelimit-policy", "x-sentry-rate-limits"] {
                    #expect(exposed.contains(header), "\(header)")
                }
            }
        }

        @Test("check sends what a browser sends, and says when a header of the operator's makes it refuse the answer")
        func check() throws {
            func check() throws -> String {
                try Execution.run(
                    stack["MESHER_BIN"] + "/mesher", ["check"], environment: stack.variables
                ).output
            }
            #expect(try check().contains("browsers may send from every origin"))
            let empty = #"add_header Access-Control-Allow-Origin "";"#
            try Nginx(of: stack).withChanged(
                "mesher-fastcgi.conf", replacing: empty, by: "add_header Access-Control-Allow-Origin * always;"
            ) {
                let found = try check()
                #expect(found.contains("a preflight is answered with 2 times Access-Control-Allow-Origin"), "\(found)")
            }
            #expect(try check().contains("browsers may send"))
        }
    }
}
