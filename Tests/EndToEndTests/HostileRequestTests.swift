import Foundation
import Testing

extension EndToEnd {
    struct HostileRequestTests {
        let project: Project
        private let event = #"{"message":"m","level":"info"}"#

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        private var authorization: (String, String) { ("Authorization", "Bearer \(project.key)") }

        private func connect() throws -> HTTPConnection {
            try HTTPConnection(port: project.stack.port)
        }

        /// That honest clients are served as ever.
        private func expectService() throws {
            #expect(try project.post(event).status == 202)
            #expect(try project.postBulk("[\(event)]").status == 202)
        }

        @Test("A body that ends before its length stores nothing, and disturbs nobody")
        func cutShort() throws {
            for target in ["/api/v1/events", "/api/v1/events/bulk"] {
                let connection = try connect()
                connection.send("POST", target, [authorization, ("Content-Length", "1000")], body: Array(event.utf8))
                connection.finishSending()
            }
            try expectService()
            #expect(try project.count() == 2)
        }

        @Test("A body that is longer than its length is one event, and what follows is a request of its own")
        func longer() throws {
            let connection = try connect()
            connection.send(
                "POST", "/api/v1/events", [authorization, ("Content-Length", "\(event.utf8.count)")],
                body: Array((event + "NONSENSE\r\n\r\n").utf8))
            #expect(try connection.receive().status == 202)
            #expect(try connection.receive().status == 400)
            #expect(try project.count() == 1)
        }

        @Test("Slow senders keep nobody waiting")
        func slow() throws {
            let slow = try (0..<100).map { _ in
                let connection = try connect()
                connection.send("POST", "/api/v1/events", [authorization, ("Content-Length", "\(event.utf8.count)")])
                connection.send(Array(event.utf8.prefix(5)))
                return connection
            }
            let began = Date()
            try expectService()
            #expect(Date().timeIntervalSince(began) < 2)
            for connection in slow { connection.send(Array(event.utf8.dropFirst(5))) }
            for connection in slow { #expect(try connection.receive().status == 202) }
            #expect(try project.count() == 102)
        }

        @Test("Requests that follow each other on one connection are answered in order")
        func pipelined() throws {
            let connection = try connect()
            for body in [event, "{", event, "[]"] {
                connection.send("POST", "/api/v1/events", [authorization], body: Array(body.utf8))
            }
            let statuses = try (0..<4).map { _ in try connection.receive().status }
            #expect(statuses == [202, 400, 202, 400])
        }

        @Test(
            "Lengths and chunks that make no sense are refused, and disturb nobody",
            arguments: [
                "Content-Length: -1\r\n\r\n", "Content-Length: 99999999999999999999\r\n\r\n",
                "Content-Length: x\r\n\r\n",
                "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\nZZ\r\n", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
                "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
            ])
        func wrongLengths(rest: String) throws {
            let connection = try connect()
            connection.send(
                "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(project.key)\r\n" + rest)
            let response = try connection.receive()
            #expect(response.status == 400)
            #expect(response.json["reason"] is String, "\(response.text)")
            try expectService()
        }

        @Test("A client that leaves without reading its answer disturbs nobody")
        func leaves() throws {
            for _ in 0..<50 {
                let connection = try connect()
                connection.send("POST", "/api/v1/events", [authorization], body: Array(event.utf8))
            }
            try expectService()
        }

        @Test("Headers of any bytes are taken or refused, never a failure")
        func strangeHeaders() throws {
            let values: [[UInt8]] = [
                [0x80, 0xff, 0xfe], Array(repeating: 0x41, count: 6_000), Array("sentry_key=".utf8),
                Array("Basic ====".utf8),
                Array("Sentry ,,,=,sentry_key".utf8), [0x09], Array(String(repeating: "sentry_key=,", count: 300).utf8),
            ]
            for value in values {
                for name in ["X-Sentry-Auth", "Authorization", "Content-Encoding", "Content-Type"] {
                    let connection = try connect()
                    connection.send(
                        Array("POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\(name): ".utf8) + value
                            + Array("\r\n\r\n{}".utf8))
                    let status = try connection.receive().status
                    #expect((400..<500).contains(status), "\(name): \(status)")
                }
            }
            try expectService()
        }

        @Test(
            "Queries of any bytes are taken or refused, never a failure",
            arguments: ["?", "?sentry_key", "?sentry_key=%", "?sentry_key=%zz", "?&&&=&", "?sentry_key=%00", "?\u{ff}"])
        func strangeQueries(query: String) throws {
            #expect(try project.stack.request("POST", "/api/v1/events" + query, body: Array(event.utf8)).status == 401)
        }

        @Test("A large body is refused before it is read, also when its sender waits for leave")
        func expectContinue() throws {
            let connection = try connect()
            connection.send(
                "POST", "/api/v1/events", [authorization, ("Content-Length", "10000000"), ("Expect", "100-continue")])
            let response = try connection.receive()
            #expect(response.status == 400)
            #expect(response.reason == "payload_too_large")
        }
    }
}
