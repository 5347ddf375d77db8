import Glibc
import Testing

@testable import StorageChannel

@Suite("Frames that wait to be sent")
struct FrameQueueTests {
    /// A pair of connected stream sockets that do not block, of which the first takes little at a time.
    private final class Sockets {
        let ends: [CInt]

        init() throws {
            var ends: [CInt] = [-1, -1]
            try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
            var size: CInt = 4_096
            setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
            self.ends = ends
        }

        deinit {
            for end in ends { close(end) }
        }

        func receive() -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(ends[1], &bytes, bytes.count, 0)
            return Array(bytes.prefix(max(0, count)))
        }
    }

    private static func block(_ content: [UInt8]) -> FrameBlock {
        var writer = FrameBlockWriter()
        _ = writer.frame(.store, size: content.count) { $0.copyBytes(from: content) }
        return writer.finish()
    }

    private static func bytes(_ queue: borrowing FrameQueue) -> [UInt8] {
        var bytes: [UInt8] = []
        queue.forEachPiece { bytes += $0 }
        return bytes
    }

    @Test("They arrive whole and in order, however little the socket takes at a time", arguments: [1, 700, 20_000])
    func arrives(size: Int) throws {
        let sockets = try Sockets()
        var queue = FrameQueue()
        // More blocks than one call takes, among them empty ones.
        for number in 0..<2_500 {
            queue.append(
                Self.block([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number % 7 * size / 7)))
            queue.append(FrameBlock())
        }
        let all = Self.bytes(queue)
        #expect(queue.count == all.count)
        var received: [UInt8] = []
        while received.count < all.count {
            queue.send(to: sockets.ends[0])
            let piece = sockets.receive()
            try #require(!piece.isEmpty)
            received += piece
            try #require(queue.count + received.count <= all.count)
        }
        #expect(received == all && queue.isEmpty)
    }

    @Test("What waits in another queue comes after what waits here, from where it was cut")
    func moves() throws {
        let sockets = try Sockets()
        var first = FrameQueue()
        first.append(Self.block([UInt8](repeating: 1, count: 100_000)))
        first.send(to: sockets.ends[0])
        var second = FrameQueue()
        second.write { $0.probe(7) }
        let rest = Self.bytes(first)
        let probe = Self.bytes(second)
        #expect(rest.count < 100_000 && !rest.isEmpty)
        first.move(from: &second)
        #expect(second.isEmpty && Self.bytes(first) == rest + probe)
        second.move(from: &first)
        #expect(first.isEmpty && Self.bytes(second) == rest + probe)
    }

    @Test("Nothing is dropped when the peer is gone")
    func peerIsGone() throws {
        let sockets = try Sockets()
        shutdown(sockets.ends[1], CInt(SHUT_RDWR))
        var queue = FrameQueue()
        queue.append(Self.block([1, 2, 3]))
        queue.send(to: sockets.ends[0])
        #expect(queue.count == 8)
    }
}
