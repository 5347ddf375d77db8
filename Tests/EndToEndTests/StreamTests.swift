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

        @Test(
            "A broken frame, a binary one, no UTF-8 and one that is too large end with their codes",
            arguments: [
                ([0xF1, 0x80, 0, 0, 0, 0], 1_002), ([0x81, 0x00], 1_002), ([0x82, 0x80, 0, 0, 0, 0], 1_003),
                ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1_007),
                ([0x81, 0xFF, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 0, 1], 1_009),
            ] as [([UInt8], UInt16)])
        func codes(frame: [UInt8], code: UInt16) throws {
            let other = try streams.open()
            let client = try streams.open()
            client.sendRaw(frame)
            #expect(client.receive() == .closed(code))
            other.send(Streams.event("untouched"))
            #expect(other.receive().isAccepted)
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

        @Test("What is over the limit is refused with the seconds to wait, over all doors exactly as many are taken")
        func limit() throws {
            try project.stack.mesher(
                "project", "set", project.slug, "--rate-limit", "300", "--rate-limit-window", "600")
            let policy = #""project";q=300;w=600"#
            // What is refused by its content costs one all the same.
            let isKnown = try eventually(within: 5) { try project.post("{}").header("RateLimit-Policy") == policy }
            try #require(isKnown)
            let response = try project.post("{}")
            let used = 300 - (try #require(left(response)))
            let clients = try (0..<10).map { _ in try streams.open() }
            // Three doors at once: streams, single posts, a bulk.
            for client in clients { for number in 0..<30 { client.send(Streams.event("\(number)")) } }
            let bulk = try project.postBulk("[" + (0..<150).map { Streams.event("\($0)") }.joined(separator: ",") + "]")
            var accepted = bulk.json["accepted"] as? Int ?? 0
            for _ in 0..<50 where try project.post(Streams.event("post")).status == 202 { accepted += 1 }
            var refusals: Set<String> = []
            for client in clients {
                for _ in 0..<30 {
                    switch client.receive() {
                    case .text(let text) where text.hasPrefix(#"{"status":"accepted""#): accepted += 1
                    case .text(let text): refusals.insert(text)
                    default: Issue.record("a stream ended")
                    }
                }
            }
            #expect(accepted == 300 - used)
            #expect(try project.count() == accepted)
            #expect(!refusals.isEmpty)
            #expect(
                refusals.allSatisfy { $0.contains(#""reason":"rate_limited","retry_after":"#) }, "\(refusals)")
        }

        private func left(_ response: HTTPResponse) -> Int? {
            response.header("RateLimit")?.split(separator: ";").first { $0.hasPrefix("r=") }
                .flatMap { Int($0.dropFirst(2)) }
        }

        @Test("A client that sends a byte at a time, one that goes half-way and one that never reads harm nobody")
        func hostile() throws {
            let slow = try streams.open()
            for byte in [0x81, 0x82, 0, 0, 0, 0, UInt8(ascii: "{")] as [UInt8] {
                slow.sendRaw([byte])
                usleep(20_000)
            }
            let deaf = try streams.open(patience: 1)
            // More than its answers' room: at last it is not read from, and the sending gives up.
            let many = Array(
                repeating: "[" + Array(repeating: "{}", count: 900).joined(separator: ",") + "]", count: 60)
            for message in many { deaf.send(message) }
            var gone: StreamClient? = try streams.open()
            gone?.sendRaw([0x81, 0xFE])
            gone = nil
            let client = try streams.open()
            #expect(Streams.pipeline(client, count: 50).allSatisfy { $0.isAccepted })
            slow.sendRaw([UInt8(ascii: "}")])
            guard case .text(let text) = slow.receive() else { throw HTTPConnection.Failure(description: "no answer") }
            #expect(text.contains("missing_message"))
            let sessions = try streams.sessions()
            let memory = sessions.map { residentMemory($0.pid) }
            #expect(memory.allSatisfy { $0 < 64 << 20 }, "\(memory)")
        }

        private func residentMemory(_ pid: pid_t) -> Int {
            let text = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)) ?? ""
            return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096
        }

        @Test("The clients websockets, which compresses, and websocket-client stream as they come")
        func clientsOfOthers() throws {
            // Debian's packages of the two clients that are most used.
            let script = """
                import asyncio, json, sys, websocket, websockets
                url, key = sys.argv[1:]
                def event(i): return json.dumps({'message': 'event %d ' % i + 'x' * 500, 'level': 'info'})
                async def stream():
                    headers = {'Authorization': 'Bearer ' + key}
                    async with websockets.connect(url, extra_headers=headers) as stream:
                        assert stream.extensions, 'compression was agreed on'
                        async def send():
                            for i in range(500): await stream.send(event(i))
                        sending = asyncio.create_task(send())
                        answers = [json.loads(await stream.recv()) for _ in range(500)]
                        await sending
                        return sum(answer.get('status') == 'accepted' for answer in answers)
                print(asyncio.run(stream()))
                stream = websocket.create_connection(url, subprotocols=['mesher.v1', 'mesher.key.' + key])
                assert stream.getsubprotocol() == 'mesher.v1'
                for i in range(500): stream.send(event(i))
                print(sum(json.loads(stream.recv())['status'] == 'accepted' for _ in range(500)))
                stream.close()
                """
            let output = try Execution.output(
                ["/usr/bin/python3", "-c", script, project.stack["MESHER_WS_URL"], project.key])
            #expect(output.split(separator: "\n") == ["500", "500"])
            #expect(try project.count() == 1_000)
        }
    }
}
