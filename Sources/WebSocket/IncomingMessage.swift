internal import Deflate

extension CloseCode: Error {}

/// The message that is coming, put together from its frames: inflated, checked and counted while it comes, so that what is
/// too large or no UTF-8 is known at its first byte, and a small message that stands for a huge one takes no more memory
/// than the limit.
struct IncomingMessage: ~Copyable {
    /// What RFC 7692, section 7.2.2, has the receiver put behind a compressed message: an empty stored block.
    private static let tail = UInt32(bigEndian: 0x0000_FFFF)
    /// Room for one step of inflating.
    private static let step = 4 << 10

    private let limit: Int
    /// Whether the message may grow to so many bytes.
    private let mayHold: (Int) -> Bool
    private var buffer = ByteBuffer()
    /// Kept between messages: a connection that has ever got a compressed one holds 40 kB for it.
    private var inflater = Inflater()
    private var utf8 = UTF8Validator()
    /// What the message that has begun is; nil between two.
    private var kind: Opcode?
    private var isCompressed = false
    private var isDelivered = false
    /// Messages that have begun.
    private var begun: UInt64 = 0
    /// Bytes of the payloads of the message that has begun, as they were sent.
    private var received = 0

    init(limit: Int, mayHold: @escaping (Int) -> Bool) {
        self.limit = limit
        self.mayHold = mayHold
    }

    /// The message that has begun and is not whole.
    var unfinished: UnfinishedMessage? {
        kind == nil ? nil : UnfinishedMessage(number: begun, received: received)
    }

    /// The bytes that are held for it, or of the one that is whole.
    var held: Int { buffer.count }

    /// The message, once it is whole.
    var bytes: UnsafeRawBufferPointer { buffer.bytes }

    mutating func forgetDelivered() {
        if isDelivered { removeAll() }
    }

    mutating func removeAll() {
        buffer.removeAll()
        isDelivered = false
        kind = nil
    }

    /// Takes a piece of a data frame; the event when it ends the message.
    ///
    /// - Throws: the code with which the connection must end.
    mutating func take(
        _ piece: FramePiece, _ opcode: Opcode, mayBeCompressed: Bool
    ) throws(CloseCode) -> WebSocketEvent? {
        if piece.beginsFrame { try begin(piece, opcode, mayBeCompressed: mayBeCompressed) }
        received += piece.bytes.count
        if isCompressed {
            try inflate(piece.bytes)
        } else {
            try check(piece.bytes)
            guard mayHold(buffer.count + piece.bytes.count) else { throw .tryAgainLater }
            buffer.append(piece.bytes)
        }
        guard piece.endsFrame, piece.endsMessage else { return nil }
        return try finish()
    }

    private mutating func begin(_ piece: FramePiece, _ opcode: Opcode, mayBeCompressed: Bool) throws(CloseCode) {
        if opcode == .continuation {
            guard kind != nil, piece.reserved == 0 else { throw .protocolError }
        } else {
            guard kind == nil else { throw .protocolError }
            guard piece.reserved == 0 || piece.reserved == FrameCodec.reserved1 && mayBeCompressed else {
                throw .protocolError
            }
            kind = opcode
            begun += 1
            received = 0
            utf8 = UTF8Validator()
            isCompressed = piece.reserved != 0
            guard !isCompressed || inflater.begin(.raw) else { throw .internalError }
        }
        // Not waited for: the header says it.
        if !isCompressed, piece.payloadLength > UInt64(max(limit - buffer.count, 0)) { throw .messageTooBig }
    }

    private mutating func inflate(_ bytes: UnsafeRawBufferPointer) throws(CloseCode) {
        var rest = bytes
        while true {
            // A byte more than is allowed, so that a message of exactly the limit is told from a longer one.
            let allowed = limit - buffer.count + 1
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer.room(min(allowed, Self.step)).prefix(allowed))
            switch inflater.inflate(&rest, into: room) {
            case .inflated(let count): return try append(count, of: room)
            // zlib may hold more, even when it has read all.
            case .full: try append(room.count, of: room)
            case .invalid: throw .invalidData
            }
        }
    }

    private mutating func append(_ count: Int, of room: UnsafeMutableRawBufferPointer) throws(CloseCode) {
        guard count <= limit - buffer.count else { throw .messageTooBig }
        try check(UnsafeRawBufferPointer(rebasing: room.prefix(count)))
        guard mayHold(buffer.count + count) else { throw .tryAgainLater }
        buffer.append(count: count)
    }

    private mutating func check(_ bytes: UnsafeRawBufferPointer) throws(CloseCode) {
        guard kind != .text || utf8.accept(bytes) else { throw .invalidData }
    }

    private mutating func finish() throws(CloseCode) -> WebSocketEvent {
        if isCompressed {
            var tail = Self.tail
            try withUnsafeBytes(of: &tail) { bytes throws(CloseCode) in try inflate(bytes) }
            guard inflater.isBetweenBlocks else { throw .invalidData }
        }
        guard kind != .text || utf8.isComplete else { throw .invalidData }
        let event: WebSocketEvent = kind == .text ? .text : .binary
        kind = nil
        isDelivered = true
        return event
    }
}

/// A message of which some has come.
package struct UnfinishedMessage: Equatable, Sendable {
    /// Counted from one, in the order in which they began.
    package let number: UInt64
    /// Bytes of its payload, as they were sent.
    package let received: Int

    package init(number: UInt64, received: Int) {
        self.number = number
        self.received = received
    }
}
