import Foundation
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

    private static func send(_ authority: String, _ arguments: [String], file: String) throws -> Execution {
        try Execution.run(
            Execution.program("mesher"), ["send", "http://\(key)@\(authority)/1", "--file", file] + arguments,
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

    @Test("an authority of one's own is believed when --ca-file names it, by send as by check, and by nobody else")
    func ownAuthority() throws {
        let server = try StubHTTPServer(
            status: 202, body: #"{"status":"accepted","id":"\#(Self.id)"}"#, isSecure: true)
        func send(_ arguments: String...) throws -> Execution {
            try Execution.run(
                Execution.program("mesher"), ["send", "https://\(Self.key)@\(server.authority)/1"] + arguments,
                environment: ["no_proxy": "127.0.0.1"])
        }
        let refused = try send()
        #expect(refused.status == 69 && refused.errors.contains("certificate"), "\(refused.errors)")
        let accepted = try send("--ca-file", server.certificate)
        #expect(accepted.output == "202 accepted \(Self.id)\n", "\(accepted.errors)")
        let absent = try send("--ca-file", "/nowhere")
        #expect(absent.status == 64 && absent.errors.contains("/nowhere"))

        let environment = ["MESHER_PUBLIC_URL": "https://\(server.authority)", "no_proxy": "127.0.0.1"]
        let check = try Execution.run(Execution.program("mesher"), ["check"], environment: environment).output
        #expect(check.contains("pass its certificate as --ca-file"), "\(check)")
        let believing = try Execution.run(
            Execution.program("mesher"), ["check", "--ca-file", server.certificate], environment: environment
        ).output
        #expect(believing.contains("other than Mesher answers"), "\(believing)")
    }

    @Test("--count sends as many, and --json prints an object for each")
    func count() throws {
        let server = try StubHTTPServer(status: 202, body: #"{"status":"accepted","id":"\#(Self.id)"}"#)
        let run = try Self.send(server.authority, "--count", "3", "--json")
        #expect(run.output == String(repeating: #"{"status":202,"id":"\#(Self.id)"}"# + "\n", count: 3))
        #expect(server.requests.count == 3)
    }

    @Test(
        "a file is sent as it is, to the route that is named",
        arguments: [
            (nil, "/api/v1/events"), ("bulk", "/api/v1/events/bulk"), ("store", "/api/1/store/"),
            ("envelope", "/api/1/envelope/"), ("security", "/api/1/security/"),
        ])
    func file(route: String?, path: String) throws {
        let server = try StubHTTPServer(status: 200, body: #"{"id":"\#(Self.id)"}"#)
        let folder = try TemporaryFile(#"{"message": "m\u0000", "a": [1, 2]}"#)
        let run = try Self.send(server.authority, route.map { ["--route", $0] } ?? [], file: folder.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "200 accepted \(Self.id)\n")
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix(#"["\#(path)", "Sentry sentry_key=\#(Self.key), "#))
        #expect(request.hasSuffix(#"{"message": "m\u0000", "a": [1, 2]}]"#))
    }

    @Test("with --lines each line is a request, one that is refused is named, and the others are sent all the same")
    func lines() throws {
        let file = try TemporaryFile("{\"n\":1}\n\n{\"n\":2}")
        let taking = try StubHTTPServer(status: 200, body: #"{"id":"\#(Self.id)"}"#)
        let run = try Self.send(taking.authority, ["--route", "store", "--lines"], file: file.path)
        #expect(run.status == 0 && run.output == String(repeating: "200 accepted \(Self.id)\n", count: 2), "\(run)")
        let key = #"["/api/1/store/", "Sentry sentry_key=\#(Self.key), sentry_version=7", "#
        #expect(taking.requests.map(String.init) == [1, 2].map { key + "{\"n\": \($0)}]" })
        let refusing = try StubHTTPServer(status: 400, body: #"{"detail":"bad"}"#)
        let refused = try Self.send(refusing.authority, ["--lines"], file: file.path)
        #expect(refused.status == 65 && refusing.requests.count == 2)
        let ends = ["1: 400 bad", "3: 400 bad"].map { "mesher: line \($0)\n" }.joined()
        #expect(refused.errors == ends + "mesher: 2 lines were refused\n", "\(refused)")
    }

    @Test("a file that is not there is named, and what Sentry's routes refuse is told")
    func refusedFile() throws {
        let server = try StubHTTPServer(
            status: 403, body: #"{"detail":"the key is unknown or revoked","causes":["forbidden"]}"#)
        let folder = try TemporaryFile("{}")
        let run = try Self.send(server.authority, ["--route", "store"], file: folder.path)
        #expect(run.status == 77)
        #expect(run.errors == "mesher: 403 the key is unknown or revoked\n")
        let missing = try Self.send(server.authority, [], file: folder.path + "x")
        #expect(missing.status == 64)
        #expect(missing.errors == "mesher: \(folder.path)x: No such file or directory\n")
    }

    @Test("a refusal is printed with its reason, and ends the command")
    func refused() throws {
        let body = #"{"error":"rate limited","reason":"rate_limited"}"#
        let server = try StubHTTPServer(status: 429, body: body, headers: ["Retry-After": "17"])
        let run = try Self.send(server.authority, "--count", "3")
        #expect(run.status == 75)
        #expect(run.errors == "mesher: 429 rate limited, retry in 17 s\n")
        #expect(server.requests.count == 1)
    }

    @Test(
        "the exit status says what kind of refusal it was",
        arguments: [(401, 77), (403, 77), (400, 65), (415, 65), (429, 75), (503, 75), (404, 69), (502, 69)])
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
}

/// A file that is gone with this.
private final class TemporaryFile {
    let path = NSTemporaryDirectory() + "mesher-send-\(UUID().uuidString)"

    init(_ text: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
