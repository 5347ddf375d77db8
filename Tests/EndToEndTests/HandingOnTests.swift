import Foundation
import RecordedInputs
import TestServers
import Testing

extension EndToEnd {
    /// Small bodies that are large or slow once they are decoded.
    struct HandingOnTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Some 1 kB of gzip that stands for an event of 900 kB.
        private func large(_ frame: String, blanks: Int = 0) throws -> [UInt8] {
            let event = #"b'{\"message\":\"' + b'x' * 900000 + b'\",\"level\":\"info\"}'"#
            return try Execution.bytes(ofPython: "gzip.compress(b'''\(frame)''' % (\(event)) + b' ' * \(blanks))")
        }

        private func headers(_ encoding: String) -> [(String, String)] {
            [("Authorization", "Bearer \(project.key)"), ("Content-Encoding", encoding)]
        }

        private func post(_ path: String, _ encoding: String, _ body: [UInt8]) throws -> HTTPResponse {
            try project.stack.request("POST", path, headers(encoding), body: body)
        }

        @Test("What is large once it is decoded is answered by the worker for large bodies, and stored once")
        func large() throws {
            let event = try large("%s")
            let envelope = try large(#"{}\n{\"type\":\"event\"}\n%s\n"#)
            #expect(event.count < 4_096)
            let api = "/api/\(project.id)"
            let workers = Processes(stack: project.stack).children("mesher-worker", "bulk")
            #expect(!workers.isEmpty)
            for worker in workers { kill(worker, SIGSTOP) }
            defer { for worker in workers { kill(worker, SIGCONT) } }
            let routes = [
                ("/api/v1/events", event, 202), ("\(api)/store/", event, 200), ("\(api)/envelope/", envelope, 200),
            ]
            let connections = try routes.map { path, body, _ in
                let connection = try HTTPConnection(port: project.stack.port)
                connection.send("POST", path, headers("gzip"), body: body)
                return connection
            }
            #expect(try project.post(#"{"message":"small","level":"info"}"#).status == 202)
            #expect(try project.count() == 1, "the others wait")
            for worker in workers { kill(worker, SIGCONT) }
            for (connection, route) in zip(connections, routes) {
                #expect(try connection.receive().status == route.2, "\(route.0)")
            }
            #expect(try project.count() == 4)
        }

        @Test("What is too large for its route has that route's refusal, whoever finds it out")
        func tooLarge() throws {
            let event = try large("%s", blanks: 200_000)
            #expect(try post("/api/v1/events", "gzip", event).reason == "payload_too_large")
            let answer = try post("/api/\(project.id)/store/", "gzip", event)
            #expect(answer.status == 413)
            #expect(answer.text.contains(#""causes":["payload_too_large"]"#))
        }

        @Test("A body that is slower than any honest one is refused and counted, and kills nobody")
        func slow() throws {
            let before = try HostMetrics.next(from: project.stack)
            let workers = Set(Processes(stack: project.stack).children("mesher-worker", "bulk"))
            let brotli = SlowBodies.brotli(60_000)
            let native = try post("/api/v1/events", "br", brotli)
            #expect(native.status == 400 && native.reason == "too_costly")
            for path in ["store", "envelope", "security"] {
                let answer = try post("/api/\(project.id)/\(path)/", "br", brotli)
                #expect(answer.status == 413, "\(path)")
                #expect(answer.text == #"{"detail":"too costly to decode","causes":["too_costly"]}"#)
            }
            #expect(try post("/api/\(project.id)/envelope/", "br", SlowBodies.brotli(4_000_000)).status == 413)
            let after = try HostMetrics.next(from: project.stack)
            let labels = ["outcome": "discarded", "reason": "too_costly"]
            #expect(after["mesher_events_total", labels] - before["mesher_events_total", labels] == 5)
            let requests = ["events", "store", "envelope", "security"].map { route in
                after["mesher_requests_total", ["route": route]] - before["mesher_requests_total", ["route": route]]
            }
            #expect(requests == [1, 1, 2, 1], "each is counted once")
            #expect(Set(Processes(stack: project.stack).children("mesher-worker", "bulk")) == workers)
        }

        @Test("Nothing slow is decoded before a key is known")
        func stranger() throws {
            for (encoding, body) in [("br", SlowBodies.brotli(60_000)), ("zstd", SlowBodies.zstandard(60_000))] {
                let path = "/api/\(project.id)/envelope/"
                let answer = try project.stack.request("POST", path, [("Content-Encoding", encoding)], body: body)
                #expect(answer.status == 401, "\(encoding)")
            }
        }
    }
}
