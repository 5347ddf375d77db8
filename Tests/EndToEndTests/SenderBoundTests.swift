import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// What nginx and the stream listener refuse before it costs anything.
    struct SenderBoundTests {
        let project: Project
        private var stack: Stack { project.stack }
        private static let stranger = String(repeating: "0", count: 32)

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Sends the head of a request whose body does not come.
        private func begin(_ target: String, _ headers: [(String, String)], length: Int) throws -> HTTPConnection {
            let connection = try HTTPConnection(port: stack.port)
            connection.send("POST", target, headers + [("Content-Length", "\(length)")])
            return connection
        }

        @Test(
            "A large body is not waited for when its key is unknown, or of an envelope is too large to have none outside"
        )
        func largeBodies() throws {
            let envelope = "/api/\(project.id)/envelope/"
            let unknown = [("Authorization", "Bearer \(Self.stranger)")]
            for (target, headers) in [
                ("/api/v1/events/bulk", []), ("/api/v1/events/bulk", unknown), ("/api/v1/events/bulk?sentry_key=x", []),
            ] {
                let answer = try begin(target, headers, length: 5_000_000).receive()
                #expect(answer.status == 401 && answer.reason == "unauthorized", "\(answer.text)")
            }
            for (target, headers, status, cause) in [
                (envelope, unknown, 403, "forbidden"),
                (envelope + "?sentry_key=" + Self.stranger, [], 403, "forbidden"),
                (envelope, [("X-Sentry-Auth", "Sentry sentry_key = \(Self.stranger)")], 403, "forbidden"),
                (envelope, [], 413, "payload_too_large"),
            ] {
                let answer = try begin(target, headers, length: 20_000_000).receive()
                #expect(answer.status == status && answer.json["causes"] as? [String] == [cause], "\(answer.text)")
            }
        }

        @Test(
            "Large bodies get through with a key outside, and smaller ones of a tunnel with a key inside, in chunks, too"
        )
        func honest() throws {
            let event = #"{"type":"event"}\#n{"message":"m","level":"info"}\#n"#
            func envelope(_ size: Int) -> [UInt8] {
                let head = #"{"dsn":"\#(project.dsn)"}\#n"# + event + #"{"type":"attachment","length":\#(size)}\#n"#
                return Array(head.utf8) + [UInt8](repeating: 0x78, count: size) + [0x0A]
            }
            let target = "/api/\(project.id)/envelope/"
            let forms: [(String, [(String, String)], Int)] = [
                (target, [("X-Sentry-Auth", "Sentry sentry_version=7, sentry_key=\(project.key)")], 19_000_000),
                (target + "?sentry_version=7&sentry_key=" + project.key, [], 6_000_000), (target, [], 5_000_000),
            ]
            for (target, headers, size) in forms {
                #expect(try stack.request("POST", target, headers, body: envelope(size)).status == 200)
            }
            let chunked = try HTTPConnection(port: stack.port)
            chunked.send("POST", target, [("Transfer-Encoding", "chunked")])
            let body = envelope(1_000_000)
            chunked.send(Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8))
            #expect(try chunked.receive().status == 200)
            #expect(try project.count() == 4)
        }

        @Test("An address may have so many requests under way, of them so many large ones, and fewer of a tunnel's")
        func atOnce() throws {
            let key = [("Authorization", "Bearer \(project.key)")]
            let envelope = "/api/\(project.id)/envelope/"
            func refusal(_ target: String, _ headers: [(String, String)], length: Int, count: Int) throws
                -> HTTPResponse
            {
                var waiting = try (0..<count).map { _ in try begin(target, headers, length: length) }
                // Another one is refused once nginx has read the heads of those. One that is not stays: it may have the place
                // of one that nginx has given up.
                var answer: HTTPResponse?
                for _ in 0..<30 where answer == nil {
                    let one = try HTTPConnection(port: stack.port, patience: 2)
                    one.send("POST", target, headers + [("Content-Length", "\(length)")])
                    answer = try? one.receive()
                    waiting.append(one)
                }
                return try withExtendedLifetime(waiting) { try #require(answer) }
            }
            let large = try refusal("/api/v1/events/bulk", key, length: 100_000, count: 100)
            #expect(large.status == 429 && large.reason == "too_many_requests" && large.header("retry-after") == "1")
            let tunnel = try refusal(envelope, [], length: 100_000, count: 20)
            #expect(tunnel.status == 429 && tunnel.json["causes"] as? [String] == ["too_many_requests"])
            #expect(tunnel.header("retry-after") == "1" && tunnel.header("x-sentry-error") == "too many requests")
            try Nginx(of: stack).withChanged("mesher-bounds.conf", replacing: "address 1024", by: "address 5") {
                let small = try refusal("/api/v1/events", key, length: 100, count: 5)
                #expect(small.status == 429 && small.reason == "too_many_requests")
            }
            #expect(try project.post(#"{"message":"m","level":"info"}"#).status == 202)
        }

        @Test("An upgrade through nginx whose key is not known makes no session")
        func unknownStreams() throws {
            func count(_ name: String, _ labels: [String: String]) throws -> Double {
                try HostMetrics.next(from: stack)[name, labels]
            }
            let before = try count("mesher_requests_total", ["route": "key", "status": "401"])
            let refused = try count("mesher_stream_upgrades_refused_total", ["status": "401"])
            for line in ["X: y", "Authorization: Bearer \(Self.stranger)", "Sec-WebSocket-Protocol: mesher.key.x"] {
                for _ in 0..<10 {
                    let client = try StreamClient(port: stack.port, [line])
                    #expect(client.status == 401 && client.body == #"{"error":"unauthorized","reason":"unauthorized"}"#)
                }
            }
            let asked = try count("mesher_requests_total", ["route": "key", "status": "401"])
            #expect(asked - before == 30)
            // The health check's own are among them: one each ten seconds.
            let refusedNow = try count("mesher_stream_upgrades_refused_total", ["status": "401"])
            #expect(refusedNow - refused < 15)
        }

        @Test("A network that goes on with upgrades that are refused costs no session each; through nginx all goes on")
        func refusedNetwork() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let streams = Streams(project: try .create(on: stack))
            var statuses: Set<Int> = []
            let isKeptOut = try eventually {
                let asked = try (0..<100).map { _ in
                    let connection = try RawConnection(port: streams.directPort, patience: 20)
                    connection.send(StreamClient.request(["Authorization: Bearer \(Self.stranger)"]))
                    return connection
                }
                for connection in asked { statuses.insert(try StreamClient(asked: connection).status) }
                return statuses.contains(503)
            }
            #expect(isKeptOut && statuses == [401, 503])
            #expect(try Streams.pipeline(streams.open(throughNginx: true), count: 1).allSatisfy { $0.isAccepted })
            // It may come back after a while.
            let isForgiven = try eventually { try streams.open().status == 101 }
            #expect(isForgiven)
        }
    }
}
