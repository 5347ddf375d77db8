internal import Deflate

/// An event of a connection.
package enum WebSocketEvent: Equatable, Sendable {
    /// A whole message, sound UTF-8: see `WebSocketConnection.withMessage`.
    case text
    case binary
    /// Already answered.
    case ping
    case pong
    /// The peer's close frame. Its answer, unless ours went first, is in the output; nothing more can be sent.
    case closed(CloseCode, reason: String)
    /// The peer broke the protocol or a limit. The close frame with the reason is in the output; nothing more is read.
    case failed(CloseCode)
}

/// One end of a WebSocket connection after the upgrade, RFC 6455 and RFC 7692, without a socket: it takes the received
/// bytes, and holds the bytes to be written.
///
/// Memory is bounded by `Limits.messageBytes` and by the pending output, which the caller bounds by not reading while
/// `outputCount` is high. After `closed` or `failed`, write the output, then shut the socket down; a server closes
/// first (section 7.1.1), and reads on until the peer has, so that the close frame is not lost to a reset.
package struct WebSocketConnection: ~Copyable {
    package enum Role: Sendable {
        case server, client
    }

    /// What bounds a connection.
    package struct Limits: Sendable {
        /// Maximum size of an inflated message; a larger one closes the connection with 1009.
        package var messageBytes: Int
        /// Size from which a message is sent compressed, if that was agreed.
        package var compressedFrom: Int
        /// The thread's processor time in nanoseconds. A compressed message that takes more of it than any honest one does
        /// ends the connection with 1009; without this clock there is no such bound.
        package var processorTime: @Sendable () -> Int64 = { 0 }

        package init(messageBytes: Int = 5 << 20, compressedFrom: Int = 4 << 10) {
            self.messageBytes = messageBytes
            self.compressedFrom = compressedFrom
        }
    }

    private enum State {
        case open
        /// Our close frame was sent, the peer's has not arrived; messages are no longer accepted.
        case closing
        case closed
    }

    private let role: Role
    private let limits: Limits
    private let compression: MessageCompression?
    private var codec: FrameCodec
    private var state = State.open
    private var incoming: IncomingMessage
    /// The payload of an incomplete control frame; at most 125 bytes.
    private var control: [UInt8] = []
    /// Whether messages are no longer accepted: the incoming one may not be held, or `stopReceiving` was called.
    package private(set) var hasStopped = false

    private init(
        _ role: Role, _ compression: MessageCompression?, _ limits: Limits, _ codec: consuming FrameCodec,
        mayHold: @escaping (Int) -> Bool
    ) {
        self.role = role
        self.limits = limits
        self.compression = compression
        self.codec = codec
        incoming = IncomingMessage(
            limit: limits.messageBytes, processorTime: limits.processorTime, mayHold: mayHold)
    }

    /// - Parameters:
    ///   - compression: what was agreed on in the upgrade; nil for none.
    ///   - mayHold: called each time before the incoming message grows to this many bytes. If it returns false the
    ///     message is given up, see `hasStopped`.
    package static func open(
        _ role: Role, compression: MessageCompression? = nil, limits: Limits = Limits(),
        mayHold: @escaping (Int) -> Bool = { _ in true }
    ) throws(WebSocketError) -> WebSocketConnection {
        WebSocketConnection(role, compression, limits, try FrameCodec.open(), mayHold: mayHold)
    }

    /// Whether messages can be sent and received.
    package var isOpen: Bool { state == .open }

    /// Whether received bytes mean anything: until both close frames, or a failure.
    package var isReading: Bool { state != .closed }

    /// Reads up to the next event; nil when all input is read. It drops from the front of `bytes` what it has read, and
    /// buffers some: call it until it returns nil, even if the rest is to wait.
    package mutating func receive(_ bytes: inout UnsafeRawBufferPointer) -> WebSocketEvent? {
        incoming.forgetDelivered()
        while isReading {
            do throws(WebSocketError) {
                guard let piece = try codec.receive(&bytes) else { return nil }
                if let event = take(piece) { return event }
            } catch {
                return fail(.protocolError)
            }
        }
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        return nil
    }

    /// Passes the message that `receive` has just returned; the next call forgets it.
    package func withMessage<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(incoming.bytes)
    }

    /// Releases the memory of that message now.
    package mutating func forgetMessage() {
        incoming.forgetDelivered()
    }

    /// The incomplete incoming message.
    package var unfinished: UnfinishedMessage? { incoming.unfinished }

    /// Bytes of it, or of the message that `receive` has just told of.
    package var heldCount: Int { incoming.held }

    /// Gives up the incoming message, and accepts no more. Earlier ones can still be answered.
    package mutating func stopReceiving() {
        hasStopped = true
        incoming.removeAll()
    }

    /// Appends a text message, which must be UTF-8. After a close frame nothing can be sent, and this does nothing.
    package mutating func send(text: UnsafeRawBufferPointer) {
        send(.text, text)
    }

    /// Appends a binary message, as `send(text:)`.
    package mutating func send(binary: UnsafeRawBufferPointer) {
        send(.binary, binary)
    }

    /// Appends a ping. Its payload is cut at 125 bytes.
    package mutating func ping(_ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) {
        guard state == .open else { return }
        append(.ping, UnsafeRawBufferPointer(rebasing: payload.prefix(125)))
    }

    /// Begins the closing handshake: `receive` tells of the peer's answer. Of a reason, which must be UTF-8, 123 bytes
    /// are sent; a code that may not be sent goes without.
    package mutating func close(_ code: CloseCode, reason: StaticString = "") {
        guard state == .open else { return }
        incoming.removeAll()
        appendClose(code, UnsafeRawBufferPointer(start: reason.utf8Start, count: reason.utf8CodeUnitCount))
        state = .closing
    }

    /// How many bytes wait to be written.
    package var outputCount: Int { codec.outputCount }

    /// Passes on the bytes that wait to be written.
    package func withOutput<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(codec.output)
    }

    /// Forgets the first `count` of them, which were written.
    package mutating func dropOutput(_ count: Int) {
        codec.dropOutput(count)
    }
}

extension WebSocketConnection {
    private mutating func take(_ piece: FramePiece) -> WebSocketEvent? {
        guard let opcode = piece.opcode, piece.isMasked == (role == .server) else { return fail(.protocolError) }
        if opcode.isControl {
            guard piece.reserved == 0 else { return fail(.protocolError) }
            control.append(contentsOf: piece.bytes)
            return piece.endsFrame ? takeControl(opcode) : nil
        }
        // Sent by the peer before it saw our close frame.
        guard state == .open, !hasStopped else { return nil }
        do throws(CloseCode) {
            return try incoming.take(piece, opcode, mayBeCompressed: compression != nil)
        } catch {
            guard error == .tryAgainLater else { return fail(error) }
            stopReceiving()
            return nil
        }
    }

    private mutating func takeControl(_ opcode: Opcode) -> WebSocketEvent? {
        let payload = control
        control.removeAll(keepingCapacity: true)
        switch opcode {
        case .ping:
            if state == .open { payload.withUnsafeBytes { append(.pong, $0) } }
            return .ping
        case .pong:
            return .pong
        default:
            return payload.withUnsafeBytes { takeClose($0) }
        }
    }

    private mutating func takeClose(_ payload: UnsafeRawBufferPointer) -> WebSocketEvent {
        var code = CloseCode.none
        var reason = UnsafeRawBufferPointer(start: nil, count: 0)
        if !payload.isEmpty {
            guard payload.count >= 2 else { return fail(.protocolError) }
            code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
            guard code.isSendable else { return fail(.protocolError) }
            reason = UnsafeRawBufferPointer(rebasing: payload[2...])
            var validator = UTF8Validator()
            guard validator.accept(reason), validator.isComplete else { return fail(.invalidData) }
        }
        if state == .open { appendClose(code, UnsafeRawBufferPointer(start: nil, count: 0)) }
        end()
        return .closed(code, reason: String(decoding: reason, as: UTF8.self))
    }

    private mutating func fail(_ code: CloseCode) -> WebSocketEvent {
        if state == .open { appendClose(code, UnsafeRawBufferPointer(start: nil, count: 0)) }
        end()
        return .failed(code)
    }

    private mutating func end() {
        state = .closed
        incoming.removeAll()
    }

    private mutating func send(_ opcode: Opcode, _ message: UnsafeRawBufferPointer) {
        guard state == .open else { return }
        if let compression, message.count >= limits.compressedFrom {
            var compressed = ByteBuffer()
            if compression.compress(message, into: &compressed), compressed.count < message.count {
                codec.send(
                    opcode, compressed.bytes, reserved: FrameCodec.reserved1, isMasked: role == .client)
                return
            }
        }
        append(opcode, message)
    }

    private mutating func append(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
        codec.send(opcode, payload, isMasked: role == .client)
    }

    private mutating func appendClose(_ code: CloseCode, _ reason: UnsafeRawBufferPointer) {
        var payload: [UInt8] = []
        if code.isSendable {
            payload = [UInt8(code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
            payload.append(contentsOf: reason.prefix(123))
        }
        payload.withUnsafeBytes { append(.close, $0) }
    }
}
