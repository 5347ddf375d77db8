import Foundation
import Testing

extension EndToEnd {
    struct RefusalTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        @Test(
            "A request that is not taken is answered as the contract says, and stores nothing",
            arguments: RefusedRequest.all)
        func refusal(request: RefusedRequest) throws {
            let headers = request.headers.map { ($0.key, $0.value) }
            let response = try project.stack.post(request.body, to: request.target, key: project.key, headers)
            #expect(response.status == request.status)
            #expect(response.text == #"{"error":"\#(request.error)","reason":"\#(request.reason)"}"#)
            #expect(response.header("Content-Type") == "application/json")
            #expect(response.header("Access-Control-Allow-Origin") == "*")
            #expect(try project.count() == 0)
        }

        @Test(
            "What is no JSON is refused with the place where it ceases to be",
            arguments: ["", "{", "{]", #"{"message":"m","level":"info"} x"#, "{\"a\":\u{1}}", "nul", #"{"a":'b'}"#])
        func invalidJSON(body: String) throws {
            let response = try project.post(body)
            #expect(response.status == 400)
            #expect(response.reason == "invalid_json")
            #expect(response.error?.hasPrefix("invalid JSON: ") == true)
            #expect(response.error?.contains(" at byte ") == true)
        }

        @Test("What is not UTF-8 is refused as no JSON")
        func invalidUTF8() throws {
            let body = Array(#"{"message":""#.utf8) + [0xff, 0xfe] + Array(#"","level":"info"}"#.utf8)
            let response = try project.stack.request(
                "POST", "/api/v1/events", [("Authorization", "Bearer \(project.key)")], body: body)
            #expect(response.status == 400)
            #expect(response.reason == "invalid_json")
        }

        @Test(
            "A field of a wrong shape is refused by its name",
            arguments: [
                "timestamp": #""yesterday""#, "platform": "7", "environment": "[]", "release": "{}", "logger": "true",
                "fingerprint": "7", "tags": "[]", "extra": #""x""#, "user": "7", "breadcrumbs": "7", "exception": "7",
                "stacktrace": #""x""#,
            ])
        func wrongShape(field: String, value: String) throws {
            let response = try project.post(#"{"message":"m","level":"info","\#(field)":\#(value)}"#)
            #expect(response.status == 400)
            #expect(response.reason == "invalid_field")
            #expect(response.error?.hasPrefix("invalid \(field): ") == true)
        }

        @Test("Another method is refused with those that there are", arguments: ["GET", "PUT", "DELETE", "PATCH"])
        func wrongMethod(method: String) throws {
            for target in ["/api/v1/events", "/api/v1/events/bulk"] {
                let response = try project.stack.request(method, target, [("Authorization", "Bearer \(project.key)")])
                #expect(response.status == 405)
                #expect(response.text == #"{"error":"method not allowed","reason":"method_not_allowed"}"#)
                let allowed = response.header("Allow")?.split(separator: ",").map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                #expect(allowed?.contains("POST") == true)
            }
        }

        @Test("A bulk that is not taken as a whole names one reason", arguments: ["x", "[1", #"[{"message":"m"}"#])
        func invalidBulk(body: String) throws {
            let response = try project.postBulk(body)
            #expect(response.status == 400)
            #expect(response.reason == "invalid_json")
        }

        @Test("What nginx itself refuses is JSON as well")
        func malformedRequest() throws {
            for text in ["NONSENSE\r\n\r\n", "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"] {
                let connection = try HTTPConnection(port: project.stack.port)
                connection.send(text)
                let response = try connection.receive()
                #expect(response.status == 400)
                #expect(response.reason == "malformed_request")
            }
        }
    }
}
