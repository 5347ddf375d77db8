import Foundation
import Scoreboard
import TestServers
import Testing

extension OwnStack {
    /// Messages that are begun and not ended, by clients that answer every ping.
    struct StreamMemoryTests {
        /// All but the end of the largest message, as one frame that is not the last.
        private static let beginning: [UInt8] = {
            let size = 4 << 20
            var frame: [UInt8] = [0x01, 0xFF] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * $0)) }
            frame += [0, 0, 0, 0] + [UInt8](repeating: UInt8(ascii: " "), count: size)
            frame[14] = UInt8(ascii: "[")
            return frame
        }()
        /// The end that makes an event of it.
        private static let end: [UInt8] = {
            let text = #"{"message":"m","level":"info"}]"#
            return [0x80, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8)
        }()

        private func isAccepted(_ received: StreamClient.Received) -> Bool {
            if case .text(let text) = received { text.hasPrefix(#"{"status":"accepted","accepted":1"#) } else { false }
        }

        @Test("Unfinished messages of one project fill half of the memory; others have room, and a death gives it back")
        func bound() throws {
            let stack = try Stack(settings: ["MESHER_STREAM_MEMORY=20"])
            defer { stack.stop() }
            let (greedy, neighbour) = (
                Streams(project: try .create(on: stack)), Streams(project: try .create(on: stack))
            )
            // Two have room; each of the others is told to come later.
            let clients = try (0..<6).map { _ in try greedy.open() }
            for client in clients.prefix(2) { client.sendRaw(Self.beginning) }
            let table = try #require(SessionTable.open(in: stack["MESHER_RUN_DIR"]))
            let areHeld = eventually { table.claimed == 8 << 20 }
            try #require(areHeld)
            #expect(try HostMetrics.next(from: stack)["mesher_stream_memory_bytes"] == 8_388_608)
            for client in clients.dropFirst(2) {
                client.sendRaw(Self.beginning)
                #expect(client.receive() == .closed(1_013))
            }
            let other = try neighbour.open()
            other.sendRaw(Self.beginning + Self.end)
            #expect(isAccepted(other.receive()))
            #expect(try Streams.pipeline(greedy.open(), count: 3).allSatisfy { $0.isAccepted })
            for session in try greedy.sessions() { kill(session.pid, SIGKILL) }
            let isGivenBack = eventually { table.claimed == 0 }
            #expect(isGivenBack)
            let next = try greedy.open()
            next.sendRaw(Self.beginning + Self.end)
            #expect(isAccepted(next.receive()))
        }

        @Test(
            "A message that does not end is given up with 1008, also when each ping is answered; one that goes on is not"
        )
        func unfinished() throws {
            let stack = try Stack(settings: ["MESHER_STREAM_PING=2"])
            defer { stack.stop() }
            let streams = Streams(project: try .create(on: stack))
            let client = try streams.open()
            client.sendRaw([0x01, 0x81, 0, 0, 0, 0, UInt8(ascii: "{")])
            // Pings are answered while this waits.
            #expect(client.receive() == .closed(1_008))
            // Longer than the first time of a message, and than the server waits for a pong.
            let honest = try streams.open()
            for start in stride(from: 0, to: Self.beginning.count, by: Self.beginning.count / 10) {
                honest.sendRaw(Array(Self.beginning[start...].prefix(Self.beginning.count / 10)))
                usleep(500_000)
            }
            honest.sendRaw(Self.end)
            #expect(isAccepted(honest.receive()))
        }
    }
}
