import Foundation
import Scoreboard
import TestServers
import Testing
import WebSocket

extension EndToEnd {
    /// What a client of a stream sees.
    struct StreamTests {
        let project: Project
        let streams: Streams

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
            streams = Streams(project: project)
        }

        @Test("A session is nicer than the workers: it goes where they leave the processors")
        func priority() throws {
            let client = try streams.open()
            let session = try #require(try streams.sessions().first?.pid)
            let worker = try #require(Processes(stack: project.stack).children("mesher-worker", "events").first)
            let priorities = [session, worker].map { getpriority(CInt(PRIO_PROCESS.rawValue), id_t($0)) }
            #expect(priorities == [10, 0])
            client.close()
        }

        @Test("Answers come in the order of the messages, with the texts of the POST, and the events are stored")
        func answers() throws {
            let client = try streams.open(throughNginx: true)
            #expect(client.status == 101)
            let id = String(repeating: "ab", count: 16)
            client.send(#"{"message":"first","level":"error","event_id":"\#(id)"}"#)
            client.send(#"{"level":"error"}"#)
            client.send("[\(Streams.event("a")),\(#"{"message":"b","level":"x"}"#)]")
            client.send("nonsense")
            client.send(Streams.event("last"))
            #expect(client.receive() == .text(#"{"status":"accepted","id":"\#(id)"}"#))
            #expect(
                client.receive() == .text(#"{"error":"missing required field: message","reason":"missing_message"}"#))
            guard case .text(let bulk) = client.receive() else {
                throw HTTPConnection.Failure(description: "no answer")
            }
            #expect(bulk.hasPrefix(#"{"status":"accepted","accepted":1,"rejected":1,"ids":[""#))
            guard case .text(let invalid) = client.receive() else {
                throw HTTPConnection.Failure(description: "no answer")
            }
            #expect(invalid.hasPrefix(#"{"error":"invalid JSON"#))
            #expect(client.receive().isAccepted)
            client.close()
            #expect(client.receive() == .closed(1_000))
            #expect(try project.count() == 3)
        }

        @Test("A key is taken from header, query and subprotocol, on either path; without one there is no upgrade")
        func keys() throws {
            let port = project.stack.port
            for (path, line) in [
                ("/api/v1/stream", "X-Sentry-Auth: Sentry sentry_key=\(project.key)"),
                ("/ingest?sentry_key=\(project.key)", "X-Nothing: 1"),
                ("/ingest", "Sec-WebSocket-Protocol: mesher.v1, mesher.key.\(project.key)"),
            ] {
                let client = try StreamClient(port: port, path: path, [line])
                client.send(Streams.event("by \(path)"))
                #expect(client.status == 101 && client.receive().isAccepted)
            }
            for key in ["", String(repeating: "0", count: 32)] {
                let client = try StreamClient(port: port, ["Authorization: Bearer \(key)"])
                #expect(client.status == 401 && client.body == #"{"error":"unauthorized","reason":"unauthorized"}"#)
            }
        }

        @Test("An event of more than 1 MiB ends with 1009, an array of them is taken")
        func sizes() throws {
            let client = try streams.open()
            let large = String(repeating: "x", count: 700_000)
            client.send("[\(Streams.event(large)),\(Streams.event(large))]")
            #expect(client.receive().isAccepted)
            client.send(Streams.event(large + large))
            #expect(client.receive() == .closed(1_009))
        }

        @Test("A page is let in from an origin that the project allows, from another it is refused before the upgrade")
        func origins() throws {
            func status(_ origin: String?) throws -> Int {
                let lines = [streams.authorization] + (origin.map { ["Origin: \($0)"] } ?? [])
                return try StreamClient(port: project.stack.port, lines).status
            }
            #expect(try status("https://evil.example") == 101)
            let open = try StreamClient(
                port: project.stack.port, [streams.authorization, "Origin: https://evil.example"])
            try project.stack.mesher("project", "set", project.slug, "--allowed-origin", "https://*.shop.example")
            let isInForce = try eventually { try status("https://evil.example") == 403 }
            #expect(isInForce)
            let refused = try StreamClient(
                port: project.stack.port, [streams.authorization, "Origin: https://evil.example"])
            #expect(refused.body == #"{"error":"the origin is not allowed","reason":"forbidden"}"#)
            #expect(try status("https://www.shop.example") == 101)
            #expect(try status(nil) == 101)
            // What was open before stays so.
            #expect(Streams.pipeline(open, count: 1).allSatisfy { $0.isAccepted })
            try project.stack.mesher("project", "set", project.slug, "--allowed-origin", "none")
            let isLifted = try eventually { try status("https://evil.example") == 101 }
            #expect(isLifted)
        }
    }
}
