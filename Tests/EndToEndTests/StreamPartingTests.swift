import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Clients of a stream that do not stay for the answers.
    struct StreamPartingTests {
        /// What a client does as soon as its last byte is written.
        enum Parting: CaseIterable {
            case closeFrame, close, halfClose, reset
        }

        let project: Project
        private let streams: Streams

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
            streams = Streams(project: project)
        }

        /// Opens a stream, sends so many messages, the last without its last bytes, and parts.
        private func send(
            _ count: Int, padding: Int = 0, missing: Int = 0, _ parting: Parting, throughNginx: Bool
        ) throws {
            let connection = try RawConnection(
                port: throughNginx ? project.stack.port : streams.directPort, patience: 20)
            connection.send(StreamClient.request([streams.authorization]))
            let client = try StreamClient(asked: connection)
            try #require(client.status == 101)
            let frame = Self.frame(Streams.event("m" + String(repeating: "x", count: padding)))
            connection.send(Array(Array(repeatElement(frame, count: count).joined()).dropLast(missing)))
            switch parting {
            case .closeFrame: connection.send([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
            case .close: break
            case .halfClose: connection.finishSending()
            case .reset: connection.reset()
            }
            // What has not left this system when a socket with unread answers is closed is lost here.
            connection.awaitDelivery()
        }

        /// A text frame with a mask of zeros, RFC 6455, section 5.2.
        private static func frame(_ text: String) -> [UInt8] {
            let size = text.utf8.count
            let length = size < 126 ? [0x80 | UInt8(size)] : [0xFE, UInt8(size >> 8), UInt8(size & 0xFF)]
            return [0x81] + length + [0, 0, 0, 0] + Array(text.utf8)
        }

        private func isStored(_ count: Int) throws -> Int {
            var rows = 0
            _ = try eventually {
                rows = try project.count()
                return rows >= count
            }
            return rows
        }

        @Test(
            "Messages that came whole are stored, whether or not their sender stays for the answers",
            arguments: Parting.allCases, [false, true])
        func whole(parting: Parting, throughNginx: Bool) throws {
            for _ in 0..<20 { try send(5, parting, throughNginx: throughNginx) }
            #expect(try isStored(100) == 100)
        }

        @Test("So are more than are in hand at once", arguments: Parting.allCases)
        func many(parting: Parting) throws {
            for _ in 0..<3 { try send(700, padding: 200, parting, throughNginx: false) }
            #expect(try isStored(2_100) == 2_100)
        }

        @Test("A message that was cut short is never taken for whole", arguments: Parting.allCases, [false, true])
        func cut(parting: Parting, throughNginx: Bool) throws {
            for _ in 0..<5 { try send(3, missing: 1, parting, throughNginx: throughNginx) }
            #expect(try isStored(10) == 10)
            // What came before is stored when what came after it is.
            #expect(try project.post(Streams.event("after")).status == 202)
            #expect(try project.count() == 11)
        }
    }
}
