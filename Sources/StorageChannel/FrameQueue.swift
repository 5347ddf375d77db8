internal import Glibc

/// Frames that wait to be sent, in order. They are not copied: many blocks go out by one system call.
package struct FrameQueue: ~Copyable {
    /// The most blocks of one call, `IOV_MAX`.
    private static let blocksPerCall = 1_024

    private var blocks: [FrameBlock] = []
    /// The first of them that was not sent.
    private var first = 0
    /// How many of its bytes were sent.
    private var sent = 0
    /// The bytes that wait.
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package mutating func append(_ block: FrameBlock) {
        guard block.count > 0 else { return }
        blocks.append(block)
        count += block.count
    }

    /// Appends small frames that `body` writes.
    package mutating func write(_ body: (inout FrameWriter) -> Void) {
        var frames = FrameWriter()
        body(&frames)
        append(.copying(frames))
    }

    /// Appends all that waits in another queue, which is empty afterwards.
    package mutating func move(from other: inout FrameQueue) {
        if isEmpty { return swap(&self, &other) }
        for place in other.first..<other.blocks.count { blocks.append(other.blocks[place]) }
        count += other.count
        other.removeAll()
    }

    package mutating func removeAll() {
        blocks.removeAll(keepingCapacity: true)
        first = 0
        sent = 0
        count = 0
    }

    /// Lets `use` have the waiting bytes, piece by piece.
    package func forEachPiece(_ use: (UnsafeRawBufferPointer) -> Void) {
        for place in first..<blocks.count { use(piece(place)) }
    }

    private func piece(_ place: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: blocks[place].bytes[(place == first ? sent : 0)...])
    }

    /// Sends as much as a socket accepts; a failure shows at its next read. The corresponding C function is `sendmsg`.
    package mutating func send(to socket: CInt) {
        while count > 0 {
            let (offered, accepted) = sendOnce(to: socket)
            drop(accepted)
            if accepted < offered { return }
        }
    }

    private func sendOnce(to socket: CInt) -> (offered: Int, accepted: Int) {
        let pieces = min(blocks.count - first, Self.blocksPerCall)
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: pieces) { vectors in
            var offered = 0
            for place in 0..<pieces {
                let piece = piece(first + place)
                let start = UnsafeMutableRawPointer(mutating: piece.baseAddress)
                vectors.initializeElement(at: place, to: iovec(iov_base: start, iov_len: piece.count))
                offered += piece.count
            }
            var message = msghdr()
            message.msg_iov = vectors.baseAddress
            message.msg_iovlen = pieces
            return (offered, max(0, sendmsg(socket, &message, CInt(MSG_NOSIGNAL))))
        }
    }

    private mutating func drop(_ accepted: Int) {
        count -= accepted
        guard count > 0 else { return removeAll() }
        sent += accepted
        while first < blocks.count, sent >= blocks[first].count {
            sent -= blocks[first].count
            first += 1
        }
        if first >= 64, first * 2 >= blocks.count {
            blocks.removeFirst(first)
            first = 0
        }
    }
}
