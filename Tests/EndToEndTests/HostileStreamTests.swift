import Foundation
import Scoreboard
import TestServers
import Testing

extension EndToEnd {
    /// Clients that break the rules, stall or vanish. Nobody else may notice: neither the listener nor another session.
    struct HostileStreamTests {
        let project: Project
        let streams: Streams

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
            streams = Streams(project: project)
        }

        /// Does harm, while a stream is open; then that one goes on, the listener is the same, and takes new ones.
        private func whileOthersGoOn(_ harm: () throws -> Void) throws {
            let processes = Processes(stack: project.stack)
            let listener = processes.children("mesher-stream")
            let other = try streams.open()
            #expect(Streams.pipeline(other, count: 1).allSatisfy { $0.isAccepted })
            try harm()
            #expect(Streams.pipeline(other, count: 1).allSatisfy { $0.isAccepted })
            #expect(try Streams.pipeline(streams.open(), count: 1).allSatisfy { $0.isAccepted })
            #expect(listener.count == 1 && processes.children("mesher-stream") == listener)
        }

        @Test(
            "Malformed frames, a binary one, no UTF-8 and one that is too large end with their codes",
            arguments: [
                // A reserved bit, an opcode that is none, no mask, a fragment without a beginning, a new message within one.
                ([0xF1, 0x80, 0, 0, 0, 0], 1_002), ([0x83, 0x80, 0, 0, 0, 0], 1_002), ([0x81, 0x00], 1_002),
                ([0x80, 0x80, 0, 0, 0, 0], 1_002), ([0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0], 1_002),
                // A ping in fragments, one that is too long, a length that is not the shortest, a close with half a code.
                ([0x09, 0x80, 0, 0, 0, 0], 1_002), ([0x89, 0xFE, 0, 126, 0, 0, 0, 0], 1_002),
                ([0x81, 0xFE, 0, 1, 0, 0, 0, 0, 0x7B], 1_002), ([0x88, 0x81, 0, 0, 0, 0, 3], 1_002),
                ([0x82, 0x80, 0, 0, 0, 0], 1_003), ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1_007),
                ([0x81, 0xFF, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 0, 1], 1_009),
            ] as [([UInt8], UInt16)])
        func codes(frame: [UInt8], code: UInt16) throws {
            try whileOthersGoOn {
                let client = try streams.open()
                client.sendRaw(frame)
                #expect(client.receive() == .closed(code))
            }
        }

        @Test("A client that comes a byte at a time, one that goes half-way and one that never reads harm nobody")
        func stalling() throws {
            try whileOthersGoOn {
                let connection = try RawConnection(port: streams.directPort, patience: 20)
                for byte in StreamClient.request([streams.authorization]) { connection.send([byte]) }
                let slow = try StreamClient(asked: connection)
                for byte in [0x81, 0x82, 0, 0, 0, 0, UInt8(ascii: "{")] as [UInt8] {
                    slow.sendRaw([byte])
                    usleep(20_000)
                }
                let deaf = try streams.open(patience: 1)
                // More than its answers' room: at last it is not read from, and the sending gives up.
                for _ in 0..<60 { deaf.send(Self.manyRefusals) }
                var gone: StreamClient? = try streams.open()
                gone?.sendRaw([0x81, 0xFE])
                gone = nil
                #expect(try Streams.pipeline(streams.open(), count: 50).allSatisfy { $0.isAccepted })
                slow.sendRaw([UInt8(ascii: "}")])
                guard case .text(let text) = slow.receive() else {
                    throw HTTPConnection.Failure(description: "no answer")
                }
                #expect(text.contains("missing_message"))
                let memory = try streams.sessions().map { residentMemory($0.pid) }
                #expect(memory.allSatisfy { $0 < 64 << 20 }, "\(memory)")
            }
        }

        /// An array whose answer is thirty times as long as itself.
        private static let manyRefusals = "[" + Array(repeating: "{}", count: 900).joined(separator: ",") + "]"

        private func residentMemory(_ pid: pid_t) -> Int {
            let text = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)) ?? ""
            return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096
        }

        /// What must not come of clients that nobody hears of any more, and of many at once.
        private enum Harm {
            /// Somebody stays.
            case kept
            /// All that come at once are taken.
            case flooded
        }

        @Test("A client that vanished, one that never reads and a request that never ends are dropped in their time")
        func dropped() throws {
            #expect(try harm(["MESHER_STREAM_PING=4", "MESHER_STREAM_RATE=8"], within: 120).isEmpty)
        }

        @Test("With a longer time and a higher rate they stay, and as many as come are taken, so that test could fail")
        func droppedControl() throws {
            #expect(try harm(["MESHER_STREAM_PING=30"], within: 4) == [.kept, .flooded])
        }

        /// Lets three clients stall for ever, and sixty come at once.
        ///
        /// - Parameters:
        ///   - settings: those of the stack.
        ///   - seconds: how long the end of those who stall is waited for.
        private func harm(_ settings: [String], within seconds: Double) throws -> Set<Harm> {
            let stack = try Stack(settings: settings + ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let streams = Streams(project: project)
            let listener = Processes(stack: stack).children("mesher-stream")
            let asking = try RawConnection(port: streams.directPort, patience: 20)
            asking.send(StreamClient.request(["X-Never-Ends: "]).dropLast(4))
            // It answers no ping, as one whose machine lost its power: no FIN, no RST.
            let vanished = try streams.open()
            // Of its answers, some 15 MB, the session writes what the kernel takes.
            let deaf = try streams.open(patience: 1)
            for _ in 0..<200 { deaf.send(Self.manyRefusals) }
            let honest = try streams.open(throughNginx: true)
            var isDisturbed = false
            func counted(_ name: String, _ labels: [String: String]) throws -> Double {
                isDisturbed = isDisturbed || !Streams.pipeline(honest, count: 1).allSatisfy { $0.isAccepted }
                asking.send([UInt8(ascii: "x")])
                return try HostMetrics.fetch(from: stack)[name, labels]
            }
            let areDropped = try eventually(within: seconds) {
                let dropped = try counted("mesher_stream_sessions_closed_total", ["code": "dropped"])
                return try dropped == 2 && streams.sessions().count == 1
            }
            var harm: Set<Harm> = []
            if areDropped {
                #expect(vanished.receive() == .ended)
                let isRefused = try eventually {
                    try counted("mesher_stream_upgrades_refused_total", ["status": "400"]) == 1
                }
                #expect(isRefused)
                let late = #"{"error":"request took too long","reason":"malformed_request"}"#
                #expect(asking.receive().map { String(decoding: $0, as: UTF8.self).hasSuffix(late) } == true)
            } else {
                harm.insert(.kept)
            }
            #expect(!isDisturbed)
            // So many at once are more than the listener may take in a second.
            let asked = try (0..<60).map { _ in try streams.ask() }
            let answers = try asked.map { try StreamClient(asked: $0) }
            let refused = answers.filter { $0.status != 101 }
            if refused.isEmpty { harm.insert(.flooded) }
            #expect(refused.count < 60)
            #expect(refused.allSatisfy { $0.status == 503 && $0.head.contains("\r\nRetry-After: 1\r\n") })
            let unavailable = #"{"error":"temporarily unavailable","reason":"unavailable"}"#
            #expect(refused.allSatisfy { $0.body == unavailable })
            #expect(listener.count == 1 && Processes(stack: stack).children("mesher-stream") == listener)
            return harm
        }
    }
}
