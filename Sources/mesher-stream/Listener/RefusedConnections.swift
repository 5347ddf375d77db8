internal import Glibc
internal import System

/// Connections that were refused without a session. They have their answer, and are kept open for a moment: closing one
/// whose request was not read would reset it, and the client would lose the answer.
struct RefusedConnections: ~Copyable {
    private final class Connection {
        let descriptor: Descriptor
        let until: Int64

        init(_ descriptor: consuming Descriptor, until: Int64) {
            self.descriptor = descriptor
            self.until = until
        }
    }

    /// Nanoseconds that a peer has to take its answer and close.
    private static let patience: Int64 = 1_000_000_000
    /// Maximum number that is kept.
    private static let limit = 512

    /// In the order of their deadlines.
    private var waiting: [Connection] = []
    private let answer: [UInt8]

    /// - Parameter answer: what each of them gets.
    init(answer: [UInt8]) {
        self.answer = answer
    }

    /// When the next must be closed, in nanoseconds of the monotonic clock.
    var wakeAt: Int64? { waiting.first?.until }

    /// Answers a connection and waits for its end; what it sends is ignored.
    mutating func refuse(_ descriptor: consuming Descriptor, now: Int64) {
        guard (try? descriptor.setBlocking(false)) != nil else { return }
        discardInput(of: descriptor.number)
        _ = answer.withUnsafeBytes { send(descriptor.number, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        shutdown(descriptor.number, CInt(SHUT_WR))
        if waiting.count >= Self.limit { waiting.removeFirst() }
        waiting.append(Connection(descriptor, until: now + Self.patience))
    }

    /// Closes those whose deadline has passed.
    mutating func elapse(now: Int64) {
        let ended = waiting.prefix { $0.until <= now }
        for connection in ended { discardInput(of: connection.descriptor.number) }
        waiting.removeFirst(ended.count)
    }

    private func discardInput(of number: CInt) {
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { room in
            _ = recv(number, room.baseAddress, room.count, CInt(MSG_DONTWAIT))
        }
    }
}
