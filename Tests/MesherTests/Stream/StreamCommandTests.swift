import TestServers
import Testing
import WebSocket

@testable import mesher

struct StreamCommandTests {
    private static let key = "0123456789abcdef0123456789abcdef"

    private static func stream(_ authority: String, _ input: String, _ arguments: String...) throws -> Execution {
        try Execution.run(
            Execution.program("mesher"), ["stream", "http://\(key)@\(authority)/1"] + arguments,
            environment: ["no_proxy": "127.0.0.1"], input: input)
    }

    private static func lines(_ count: Int) -> String {
        (1...count).map { #"{"message":"event \#($0)","level":"error"}"# + "\n" }.joined()
    }

    @Test("each line is sent with an id of its own, and each answer printed")
    func accepted() throws {
        let server = StubStreamServer { StubStreamServer.accepted($1) }
        let run = try Self.stream(server.authority, Self.lines(500))
        #expect(run.status == 0 && run.errors.isEmpty)
        let ids = server.messages.map(StubStreamServer.id(of:))
        #expect(ids.count == 500 && Set(ids).count == 500 && ids.allSatisfy { $0.utf8.count == 32 })
        #expect(run.output == ids.map { #"{"status":"accepted","id":"\#($0)"}"# + "\n" }.joined())
    }

    @Test("what was not acknowledged when the connection broke is sent again, with the same id and in order")
    func reconnects() throws {
        let server = StubStreamServer { count, message in
            count == 30 || count == 60
                ? .drop : count == 90 ? .close(.serviceRestart) : StubStreamServer.accepted(message)
        }
        let run = try Self.stream(server.authority, Self.lines(200), "--in-flight", "20")
        #expect(run.status == 0)
        #expect(run.errors.contains("closed by the server (1012), retrying"))
        #expect(server.connections == 4)
        var first: [String] = []
        for id in server.messages.map(StubStreamServer.id(of:)) where !first.contains(id) { first.append(id) }
        #expect(first.count == 200)
        #expect(Set(run.output.split(separator: "\n")).count == 200)
    }

    @Test("a line that is rate limited is sent again after the pause, and one that is refused is not")
    func refusals() throws {
        let server = StubStreamServer { count, message in
            if message.contains("event 2\"") {
                return .answer(#"{"error":"invalid level: must be x","reason":"invalid_level"}"#)
            }
            if count == 3 { return .answer(#"{"error":"rate limited","reason":"rate_limited","retry_after":1}"#) }
            return StubStreamServer.accepted(message)
        }
        let run = try Self.stream(server.authority, Self.lines(4), "--in-flight", "1")
        #expect(run.status == 65)
        #expect(run.errors == "mesher: line 2: invalid level: must be x\nmesher: 1 event was refused\n")
        #expect(server.messages.count == 5 && server.messages[2] == server.messages[3])
    }

    @Test("a line that is no object is named and not sent, and the others are")
    func badLines() throws {
        let server = StubStreamServer { StubStreamServer.accepted($1) }
        let input = "{\"a\":1}\n\n[1]\n{\"a\":\r\n" + String(repeating: "x", count: 1_100_000) + "\n{\"b\":2}"
        let run = try Self.stream(server.authority, input)
        #expect(run.status == 65)
        #expect(
            run.errors == """
                mesher: line 3: not a JSON object
                mesher: line 4: not a JSON object
                mesher: line 5: longer than 1048576 bytes
                mesher: 3 events were refused\n
                """)
        #expect(server.messages.count == 2)
    }

    @Test("a key that is not known ends it at once; a server that is busy is tried again")
    func upgradeRefusals() throws {
        let unauthorized = StubStreamServer(
            refusal: { _ in
                UpgradeResponse.refusing(
                    status: 401, reason: "Unauthorized",
                    body: Array(#"{"error":"unauthorized","reason":"unauthorized"}"#.utf8))
            }, react: { StubStreamServer.accepted($1) })
        let run = try Self.stream(unauthorized.authority, Self.lines(1))
        #expect(run.status == 77 && run.errors == "mesher: \(unauthorized.authority): 401 unauthorized\n")
        let busy = StubStreamServer(
            refusal: { count in
                count > 1
                    ? nil
                    : UpgradeResponse.refusing(
                        status: 503, reason: "Service Unavailable", fields: ["Retry-After: 1"], body: Array("{}".utf8))
            }, react: { StubStreamServer.accepted($1) })
        #expect(try Self.stream(busy.authority, Self.lines(1)).status == 0)
        #expect(busy.connections == 2 && busy.messages.count == 1)
    }

    @Test("a key that is revoked meanwhile ends it, and so does a server that is never there")
    func endings() throws {
        let server = StubStreamServer { _, _ in .close(.policyViolation) }
        let run = try Self.stream(server.authority, Self.lines(1))
        #expect(run.status == 77 && run.errors.contains("(1008): as the test says"))
        let nobody = try Self.stream("127.0.0.1:1", Self.lines(1), "--patience", "1")
        let end = "gave up, 0 events not acknowledged, standard input not read to its end\n"
        #expect(nobody.status == 69 && nobody.errors.hasSuffix(end))
        let noServer = try StubHTTPServer(status: 200, body: "hello")
        #expect(try Self.stream(noServer.authority, Self.lines(1), "--patience", "1").status == 69)
    }
}
