import TestServers
import Testing

@testable import mesher

struct SendCommandTests {
    private static let key = "0123456789abcdef0123456789abcdef"
    private static let id = "f1d2ef0deae73b1979081a3509ff76e1"

    private static func send(_ authority: String, _ arguments: String...) throws -> Execution {
        try Execution.run(
            Execution.program("mesher"), ["send", "http://\(key)@\(authority)/1"] + arguments,
            environment: ["no_proxy": "127.0.0.1"])
    }

    @Test("an event is posted with the key, and its status and id are printed")
    func accepted() throws {
        let server = try StubHTTPServer(status: 202, body: #"{"status":"accepted","id":"\#(Self.id)"}"#)
        let run = try Self.send(server.authority, "--message", "it's \"me\"", "--level", "fatal")
        #expect(run.status == 0)
        #expect(run.output == "202 accepted \(Self.id)\n")
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix(#"["/api/v1/events", "Sentry sentry_key=\#(Self.key), sentry_version=7, "#))
        #expect(request.contains(#"{"message": "it's \"me\"", "level": "fatal", "#))
    }

    @Test("--count sends as many, and --json prints an object for each")
    func count() throws {
        let server = try StubHTTPServer(status: 202, body: #"{"status":"accepted","id":"\#(Self.id)"}"#)
        let run = try Self.send(server.authority, "--count", "3", "--json")
        #expect(run.output == String(repeating: #"{"status":202,"id":"\#(Self.id)"}"# + "\n", count: 3))
        #expect(server.requests.count == 3)
    }

    @Test("a refusal is printed with its reason, and ends the command")
    func refused() throws {
        let body = #"{"error":"rate limited","reason":"rate_limited"}"#
        let server = try StubHTTPServer(status: 429, body: body, headers: ["Retry-After": "17"])
        let run = try Self.send(server.authority, "--count", "3")
        #expect(run.status == 75)
        #expect(run.errors == "mesher: 429 rate limited, try again in 17 s\n")
        #expect(server.requests.count == 1)
    }

    @Test(
        "the exit status says what kind of refusal it was",
        arguments: [(401, 77), (400, 65), (415, 65), (429, 75), (503, 75), (404, 69), (502, 69)])
    func exitStatus(status: Int, expected: Int32) {
        #expect(SendCommand.exitStatus(status).rawValue == expected)
    }

    @Test("a server that is not there ends with 69")
    func unreachable() throws {
        // A port of the loopback interface that nobody can have: port 0.
        let run = try Self.send("127.0.0.1:1")
        #expect(run.status == 69)
        #expect(!run.errors.isEmpty)
    }

    @Test("a member of an answer is found, and of nonsense none is")
    func members() {
        #expect(SendCommand.member("id", of: #"{"status":"accepted","id":"abc"}"#) == "abc")
        #expect(SendCommand.member("id", of: "<html>") == nil)
        #expect(SendCommand.member("id", of: "") == nil)
        #expect(SendCommand.member("id", of: #""id":"#) == nil)
    }
}
