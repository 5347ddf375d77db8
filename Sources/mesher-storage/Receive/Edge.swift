import Glibc
import StorageChannel
import System

/// One connection of a worker or a session.
final class Edge {
    /// How a turn of reading or writing ended.
    enum Progress: Equatable {
        case open
        case closed
        /// The peer broke the protocol; the text says how.
        case faulty(String)
    }

    /// An edge that leaves more than so many bytes of answers unread is dropped.
    static let outputLimit = 4 << 20

    /// With more bytes of answers unread it is not told more news than it can take.
    private static let roomLimit = 256 << 10

    /// More room than this for what is received is given back when it is not used.
    private static let keptInput = 1 << 20

    /// How often a turn reads from one edge before the others have theirs.
    private static let readsInTurn = 16

    let identifier: UInt64
    /// What the loop waits for on this edge.
    var watched = Epoll.Interest.read
    private let descriptor: Descriptor
    private var reader = FrameReader()
    /// The version that both speak; nil before it has said hello.
    private var version: UInt16?
    /// The entries of the next `stored` frame.
    private var results = FrameWriter()
    private var output = FrameWriter()
    /// How many bytes of `output` are written already.
    private var written = 0

    /// Takes over a connection and says hello. Throws when the descriptor cannot be made non-blocking.
    init(_ identifier: UInt64, adopting descriptor: consuming Descriptor) throws(SystemError) {
        try descriptor.setBlocking(false)
        self.identifier = identifier
        self.descriptor = descriptor
        output.hello()
    }

    var number: CInt { descriptor.number }

    /// Whether answers wait for being written.
    var hasOutput: Bool { !results.bytes.isEmpty || output.bytes.count > written }

    /// Since when it has had more to read than `hasRoom` allows, as far as that was looked at.
    var isBehindSince: Int64?

    /// Whether it has read nearly all of its answers.
    var hasRoom: Bool { output.bytes.count - written <= Self.roomLimit }

    /// Reads what has come and calls `body` with each message.
    func receive(_ body: (EdgeMessage) -> Void) -> Progress {
        for _ in 0..<Self.readsInTurn {
            var room = 0
            let count = reader.fill { buffer in
                room = buffer.count
                return read(descriptor.number, buffer.baseAddress, buffer.count)
            }
            if count == 0 { return .closed }
            if count < 0 {
                let isWaiting = errno == EAGAIN || errno == EINTR
                return isWaiting ? .open : .closed
            }
            if let fault = takeFrames(body) { return .faulty(fault) }
            if count < room { break }
        }
        reader.shrink(to: Self.keptInput)
        return .open
    }

    /// Adds the fate of one event to the turn's answer.
    func answer(_ ticket: UInt64, _ result: StoreResult, retryAfter: UInt32) {
        results.stored(ticket, result, retryAfter: retryAfter)
    }

    /// Tells it of a key. Before it has said hello it has asked for none.
    func answer(_ key: KeyID, _ state: KeyState, _ quota: ProjectQuota?) {
        if let version { output.key(key, state, quota, version: version) }
    }

    func answer(probe ticket: UInt64, accepts: Bool, _ degradation: Degradation) {
        output.readiness(ticket, accepts: accepts, degradation)
    }

    /// Writes what the socket takes; what is left stays for when it is writable again.
    func flush() -> Progress {
        if !results.bytes.isEmpty {
            output.frame(.stored) { frame in results.bytes.withUnsafeBytes { frame.raw($0) } }
            results.removeAll()
        }
        while written < output.bytes.count {
            let count = output.bytes.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                return send(descriptor.number, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            }
            guard count >= 0 else {
                guard errno == EAGAIN || errno == EINTR else { return .closed }
                guard output.bytes.count - written <= Self.outputLimit else {
                    return .faulty("it does not read its answers")
                }
                return .open
            }
            written += count
        }
        output.removeAll()
        written = 0
        return .open
    }

    private func takeFrames(_ body: (EdgeMessage) -> Void) -> String? {
        var fault: String?
        do {
            try reader.forEachFrame { kind, content in
                guard fault == nil else { return }
                guard let message = EdgeMessage(kind, content) else {
                    fault = "content of frame \(kind) makes no sense"
                    return
                }
                switch (message, version != nil) {
                case (.hello(let theirs), false) where theirs >= Frame.oldestVersion:
                    version = min(theirs, Frame.version)
                case (.hello(let version), false):
                    fault = "version \(version), which is older than \(Frame.oldestVersion)"
                case (.hello, true): fault = "a second hello"
                case (_, false): fault = "no hello"
                case (_, true): body(message)
                }
            }
        } catch {
            switch error {
            case .length(let length): return "a frame of \(length) bytes"
            case .kind(let kind): return "a frame of kind \(kind)"
            }
        }
        return fault
    }
}
