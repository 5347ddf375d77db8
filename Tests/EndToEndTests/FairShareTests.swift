import Foundation
import TestServers
import Testing

extension OwnStack {
    /// What a project's costly bodies leave to others.
    struct FairShareTests {
        private static let event = #"{"message":"m","level":"info"}"#
        /// Some 5 kB of gzip that stand for 5 MB: an event, and blanks behind it.
        private static func blanks() throws -> [UInt8] {
            try Execution.bytes(ofPython: "gzip.compress(b'[\(event)' + b' ' * 5_000_000 + b']')")
        }

        @Test("Who comes while another project's bodies wait for the processor goes before them")
        func goesBefore() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let (greedy, neighbour) = (try Project.create(on: stack), try Project.create(on: stack))
            let body = try Self.blanks()
            let target = "/api/v1/events/bulk"
            // How many of the greedy one's bodies were still waiting when the neighbour had its answer. A machine that is busy
            // with other things may let all of them pass before the neighbour's request is even sent: then once more.
            var waiting: [Int] = []
            while waiting.count < 10, waiting.last ?? 0 < 6 {
                let connections = try (0..<16).map { _ in
                    let connection = try HTTPConnection(port: stack.port)
                    connection.send(
                        "POST", target, [("Authorization", "Bearer \(greedy.key)"), ("Content-Encoding", "gzip")],
                        body: body)
                    return connection
                }
                _ = eventually(within: 5) { Processes(stack: stack).requestsInHand() >= 12 }
                let answer = try stack.request(
                    "POST", target, [("Authorization", "Bearer \(neighbour.key)")], body: Array("[\(Self.event)]".utf8))
                #expect(answer.status == 202)
                waiting.append(connections.count { !$0.hasAnswer })
                for connection in connections {
                    let answer = try connection.receive()
                    #expect(answer.status == 202, "\(answer.text)")
                }
            }
            print("bodies that still waited: \(waiting)")
            #expect(waiting.last ?? 0 >= 6)
        }
    }
}
