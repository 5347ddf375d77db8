import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// A load balancer before two hosts that store in one PostgreSQL.
    struct FrontTests {
        private static let events = 10
        private static let event = Array(#"{"message":"m","level":"info"}"#.utf8)
        private let stack: Stack

        init() throws {
            stack = try EndToEnd.stack()
        }

        /// The rows of events without ids which the front gave to the first host, where storage stands still, and then to the
        /// second; once the first has stored its own, too.
        private func rowsAfterRetries(isBelieved: Bool) throws -> Int {
            let front = try Front(of: stack, isBelieved: isBelieved)
            let project = try Project.create(on: stack)
            try isKnown(project, at: front.secondPort)
            let accepted = try HostMetrics.next(from: stack).accepted
            let storage = try #require(Processes(stack: stack).children("mesher-storage").first)
            let connections = try (0..<Self.events).map { _ in try HTTPConnection(port: front.port) }
            kill(storage, SIGSTOP)
            defer { kill(storage, SIGCONT) }
            for connection in connections {
                connection.send(
                    "POST", "/api/v1/events", [("Authorization", "Bearer \(project.key)")], body: Self.event)
            }
            for connection in connections { #expect(try connection.receive().status == 202) }
            kill(storage, SIGCONT)
            let isAccepted = try eventually {
                try HostMetrics.next(from: stack).accepted >= accepted + Self.events
            }
            #expect(isAccepted, "the first host has answered what the front waited for no longer")
            return try project.count()
        }

        private func isKnown(_ project: Project, at port: Int) throws {
            let isKnown = try eventually {
                let connection = try HTTPConnection(port: port)
                connection.send(
                    "POST", "/api/v1/events",
                    [("Authorization", "Bearer \(project.key)"), ("Content-Encoding", "none")])
                return try connection.receive().status == 415
            }
            try #require(isKnown)
        }

        @Test(
            "What a front tries at a second host is stored once when the hosts believe its ids, else twice: the control"
        )
        func retries() throws {
            #expect(try rowsAfterRetries(isBelieved: true) == Self.events)
            #expect(try rowsAfterRetries(isBelieved: false) == 2 * Self.events)
        }

        @Test("Anybody else who sends such headers has an id and a time of receipt as always")
        func strangers() throws {
            let front = try Front(of: stack, isBelieved: true)
            let project = try Project.create(on: stack)
            try isKnown(project, at: front.secondPort)
            let claims = [
                ("X-Request-ID", "0123456789abcdef0123456789abcdef"), ("X-Mesher-Received", "1000000000.000"),
                ("Authorization", "Bearer \(project.key)"), ("X-Forwarded-For", Front.address),
                ("X-Real-IP", Front.address),
            ]
            var ids: [String?] = []
            // At the hosts themselves, and through the front, which sets its own.
            for port in [stack.port, front.secondPort, front.port, front.port] {
                let connection = try HTTPConnection(port: port)
                connection.send("POST", "/api/v1/events", claims, body: Self.event)
                let answer = try connection.receive()
                #expect(answer.status == 202)
                ids.append(answer.id)
            }
            #expect(Set(ids).count == 4 && !ids.contains("0123456789abcdef0123456789abcdef"))
            let old = try stack.query(
                "SELECT count(*) FROM events WHERE project_id = \(project.id) AND received_at < now() - interval '1 hour'"
            )
            #expect(old == [["0"]])
        }
    }
}
