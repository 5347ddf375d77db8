internal import Deflate

extension CloseCode: Error {}

/// The incoming message, assembled from its frames. It is inflated, checked and counted on arrival, so that excess or
/// invalid UTF-8 is noticed at its first byte, and a small message that inflates to a huge one takes no more memory
/// than the limit.
struct IncomingMessage: ~Copyable {
    /// The empty stored block that the receiver appends to a compressed message, RFC 7692, section 7.2.2.
    private static let tail = UInt32(bigEndian: 0x0000_FFFF)
    /// Room for one step of inflating.
    private static let step = 4 << 10

    private let limit: Int
    /// Whether the message may grow to so many bytes.
    private let mayHold: (Int) -> Bool
    private let processorTime: @Sendable () -> Int64
    private var buffer = ByteBuffer()
    /// Kept between messages: 40 kB for a connection that has ever received a compressed one.
    private var inflater = Inflater()
    /// The processor time of inflating the message; nil if it is not compressed.
    private var meter: DecodingMeter?
    private var utf8 = UTF8Validator()
    /// The kind of the incoming message; nil between messages.
    private var kind: Opcode?
    private var isDelivered = false
    /// Messages that have begun.
    private var begun: UInt64 = 0
    /// Bytes of the payloads of the message that has begun, as they were sent.
    private var received = 0

    /// - Parameter processorTime: the thread's processor time in nanoseconds.
    init(limit: Int, processorTime: @escaping @Sendable () -> Int64, mayHold: @escaping (Int) -> Bool) {
        self.limit = limit
        self.processorTime = processorTime
        self.mayHold = mayHold
    }

    /// The incomplete incoming message.
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
        if meter != nil {
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
            meter = piece.reserved == 0 ? nil : DecodingMeter(.deflate, clock: processorTime)
            guard meter == nil || inflater.begin(.raw) else { throw .internalError }
        }
        // Known from the header, without waiting for the bytes.
        if meter == nil, piece.payloadLength > UInt64(max(limit - buffer.count, 0)) { throw .messageTooBig }
    }

    private mutating func inflate(_ bytes: UnsafeRawBufferPointer) throws(CloseCode) {
        meter?.resume()
        var rest = bytes
        var isFull = false
        // zlib may hold more output when the room is full, even if it has read everything.
        while !rest.isEmpty || isFull {
            // One byte more than the limit, to tell a message of exactly the limit from a longer one.
            let allowed = limit - buffer.count + 1
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer.room(min(allowed, Self.step)).prefix(allowed))
            var slice = UnsafeRawBufferPointer(rebasing: rest.prefix(DecodingMeter.step.sent))
            let given = slice.count
            let count: Int
            switch inflater.inflate(&slice, into: room) {
            case .more(let size): count = size
            case .end(let size):
                // A block marked as the last; others may still follow (RFC 7692, section 7.2.3.4).
                guard inflater.beginNext() else { throw .invalidData }
                count = size
            case .invalid: throw .invalidData
            }
            isFull = count == room.count
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(given - slice.count))
            try append(count, of: room)
            guard meter?.count(sent: given - slice.count, decoded: count) != false else { throw .messageTooBig }
        }
        guard meter?.read() != false else { throw .messageTooBig }
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
        if meter != nil {
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
