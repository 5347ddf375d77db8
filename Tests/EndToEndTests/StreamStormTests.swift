import Foundation
import TestServers
import Testing

extension OwnStack {
    /// Thousands of clients that lose their connections at one moment, and are all back at the next.
    struct StreamStormTests {
        /// One that keeps what has no answer, and sends it again on its next connection.
        private final class Client {
            var stream: StreamClient?
            var unanswered: [String] = []
            var acknowledged: [String] = []

            /// Sends a new event, and those that have no answer before it.
            func send(_ id: String) {
                unanswered.append(id)
                for id in unanswered { stream?.send(#"{"message":"storm","level":"info","event_id":"\#(id)"}"#) }
            }

            /// Takes the answers to all that it has sent, as far as they come.
            func receive() {
                while let id = unanswered.first, let stream {
                    guard stream.receive() == .text(#"{"status":"accepted","id":"\#(id)"}"#) else {
                        self.stream = nil
                        return
                    }
                    acknowledged.append(unanswered.removeFirst())
                }
            }
        }

        private static let count = 2_000
        /// For the clients, and beside them for this process and the servers.
        private static let descriptors = count + 1_000
        private static let settings = ["MESHER_STREAM_PROJECT_CONNECTIONS=4000", "MESHER_RATE_LIMIT_EVENTS=1000000"]

        /// Raises the limit of this process; false when that is not allowed.
        private static func raiseDescriptorLimit() -> Bool {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            guard limit.rlim_max >= rlim_t(descriptors) else { return false }
            limit.rlim_cur = max(limit.rlim_cur, rlim_t(descriptors))
            return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        }

        @Test("2,000 clients whose listener dies, and then is replaced, all come back at once; no event is missing")
        func storm() throws {
            try #require(Self.raiseDescriptorLimit(), "a hard limit of \(Self.descriptors) descriptors")
            let stack = try Stack(settings: Self.settings)
            defer { stack.stop() }
            let rows = try storm(Self.count, on: stack)
            #expect(rows.all == 3 * Self.count && rows.distinct == rows.all, "\(rows)")
        }

        @Test("Without a primary key some events are stored twice, so that test could fail")
        func control() throws {
            let stack = try Stack(settings: Self.settings)
            defer { stack.stop() }
            try stack.dropPrimaryKey()
            // A death may find no event that is stored and has no answer.
            let isSeen = try (1...20).contains { _ in
                let rows = try storm(100, on: stack)
                #expect(rows.distinct == 300)
                return rows.all > rows.distinct
            }
            #expect(isSeen)
        }

        /// Twice all clients lose their connections and come back. Each sends three events.
        ///
        /// - Returns: how many rows there are, and how many ids in them.
        private func storm(_ count: Int, on stack: Stack) throws -> (all: Int, distinct: Int) {
            let project = try Project.create(on: stack)
            let streams = Streams(project: project)
            let processes = Processes(stack: stack)
            let clients = (0..<count).map { _ in Client() }

            try connect(clients, streams)
            send(clients, round: 1)
            // The first half has its answers, those of the others are on their way.
            for client in clients.prefix(count / 2) { client.receive() }
            let killed = processes.children("mesher-stream")
            for pid in killed { kill(pid, SIGKILL) }
            for client in clients { client.receive() }
            for client in clients { client.stream = nil }
            try connect(clients, streams)
            send(clients, round: 2)
            for client in clients.prefix(count / 2) { client.receive() }

            let old = processes.children("mesher-stream")
            try stack.mesher("reload")
            let listener = processes.children("mesher-stream").filter { !old.contains($0) }
            #expect(Set(old).isDisjoint(with: killed) && listener.count == 1)
            // Those of the old listener would stay; they all leave, and come to the new one.
            for client in clients { client.stream = nil }
            try connect(clients, streams)
            send(clients, round: 3)
            for client in clients { client.receive() }

            #expect(clients.allSatisfy { $0.unanswered.isEmpty && $0.acknowledged.count == 3 })
            // So many streams do not keep Redis's connections that they do not use.
            if count > 1_000 {
                #expect(eventually { Self.redisConnections(of: stack).map { $0 < 100 } ?? false })
            }
            // On a busy machine some were acknowledged from the spool.
            #expect(try eventually { try Outage(stack: stack).spooled() == 0 })
            let rows = try stack.query(
                "SELECT count(*), count(DISTINCT event_id) FROM events WHERE project_id = \(project.id)")
            // Neither storm was too much for the one that stood it.
            #expect(processes.children("mesher-stream").contains(listener[0]))
            let numbers = rows[0].compactMap { Int($0) }
            return (numbers[0], numbers[1])
        }

        private static func redisConnections(of stack: Stack) -> Int? {
            let list = try? Outage(stack: stack).redis("CLIENT", "LIST")
            return list?.split(separator: "\n").count
        }

        private func send(_ clients: [Client], round: Int) {
            for (number, client) in clients.enumerated() {
                client.send(String(format: "%032x", round * 100_000 + number))
            }
        }

        /// All that have no stream ask for one at the same moment; those that were refused ask again when they may.
        private func connect(_ clients: [Client], _ streams: Streams) throws {
            var strange: Set<String> = []
            func isTaken(_ stream: StreamClient) -> Bool {
                if stream.status != 101, !Self.isRefusal(stream) { strange.insert(stream.head + stream.body) }
                return stream.status == 101
            }
            let areAllBack = try eventually(within: 90) {
                let absent = clients.filter { $0.stream == nil }
                let asked = try absent.map { _ in try streams.ask() }
                // In the midst of it somebody else comes by another door, and has an answer.
                _ = try isTaken(streams.open(throughNginx: true))
                for (client, connection) in zip(absent, asked) {
                    let stream = try StreamClient(asked: connection)
                    client.stream = isTaken(stream) ? stream : nil
                }
                guard strange.isEmpty, clients.contains(where: { $0.stream == nil }) else { return true }
                sleep(1)
                return false
            }
            try #require(areAllBack && strange.isEmpty, "\(strange.prefix(3))")
        }

        /// That of the listener that has taken as many as it may in a second.
        private static func isRefusal(_ stream: StreamClient) -> Bool {
            stream.status == 503 && stream.head.contains("\r\nRetry-After: 1\r\n")
                && stream.body == #"{"error":"temporarily unavailable","reason":"unavailable"}"#
        }
    }
}
