internal import CWslay

/// Why wslay did not do what it was asked.
package struct WebSocketError: Error, CustomStringConvertible {
    package let operation: StaticString
    /// An `enum wslay_error`.
    package let code: Int

    package var description: String { "\(operation): wslay error \(code)" }
}

/// The kind of a frame, RFC 6455, section 5.2. The corresponding C type is `enum wslay_opcode`.
enum Opcode: UInt8 {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    var isControl: Bool { rawValue & 0x8 != 0 }
}

/// A piece of a frame's payload, unmasked, with what the frame's header says. Its bytes hold until the codec is used again.
struct FramePiece {
    /// Nil for one that RFC 6455 reserves.
    let opcode: Opcode?
    /// The header's bit FIN: the frame ends a message.
    let endsMessage: Bool
    /// The header's bits RSV1 to RSV3, in this order from 4 to 1.
    let reserved: UInt8
    let isMasked: Bool
    /// Of the whole frame; up to 2^63 - 1.
    let payloadLength: UInt64
    let beginsFrame: Bool
    let endsFrame: Bool
    let bytes: UnsafeRawBufferPointer
}

/// Parses and builds frames. The corresponding wslay type is `wslay_frame_context`.
///
/// wslay checks that a header has the shortest form of the length, and that a control frame is whole and short. The
/// caller decides what a frame means, who must mask, and which bits may be set.
struct FrameCodec: ~Copyable {
    /// The header's bit RSV1, as in `FramePiece.reserved`.
    static let reserved1: UInt8 = 4

    /// What wslay reads from and writes to.
    private struct Exchange: ~Copyable {
        var input = UnsafeRawBufferPointer(start: nil, count: 0)
        var output = ByteBuffer()
    }

    private let context: wslay_frame_context_ptr
    private let exchange: UnsafeMutablePointer<Exchange>
    /// Received bytes of the current frame's payload; nil between frames.
    private var received: UInt64?

    private init(adopting context: wslay_frame_context_ptr, _ exchange: UnsafeMutablePointer<Exchange>) {
        self.context = context
        self.exchange = exchange
    }

    deinit {
        wslay_frame_context_free(context)
        exchange.deinitialize(count: 1)
        exchange.deallocate()
    }

    /// The corresponding wslay function is `wslay_frame_context_init`.
    static func open() throws(WebSocketError) -> FrameCodec {
        let exchange = UnsafeMutablePointer<Exchange>.allocate(capacity: 1)
        exchange.initialize(to: Exchange())
        var callbacks = wslay_frame_callbacks(
            send_callback: { bytes, count, _, user in
                guard let exchange = user?.assumingMemoryBound(to: Exchange.self) else { return -1 }
                exchange.pointee.output.append(UnsafeRawBufferPointer(start: bytes, count: count))
                return count
            },
            recv_callback: { room, size, _, user in
                guard let exchange = user?.assumingMemoryBound(to: Exchange.self), let room else { return -1 }
                let input = exchange.pointee.input
                let count = min(size, input.count)
                guard count > 0, let start = input.baseAddress else { return -1 }
                UnsafeMutableRawPointer(room).copyMemory(from: start, byteCount: count)
                exchange.pointee.input = UnsafeRawBufferPointer(rebasing: input[count...])
                return count
            },
            genmask_callback: { room, size, _ in
                guard let room else { return -1 }
                // An unpredictable mask (RFC 6455, section 10.3).
                for index in 0..<size { room[index] = UInt8.random(in: .min ... .max) }
                return 0
            })
        var context: wslay_frame_context_ptr?
        let status = wslay_frame_context_init(&context, &callbacks, exchange)
        guard status == 0, let context else {
            exchange.deinitialize(count: 1)
            exchange.deallocate()
            throw WebSocketError(operation: "open", code: Int(status))
        }
        return FrameCodec(adopting: context, exchange)
    }

    /// The next piece of a frame, nil when all input is read; drops from the front of `bytes` what it has read. It
    /// buffers some input, so call it until it returns nil. The corresponding wslay function is `wslay_frame_recv`.
    ///
    /// - Throws: what is wrong with the frame; the codec cannot be read from afterwards.
    mutating func receive(_ bytes: inout UnsafeRawBufferPointer) throws(WebSocketError) -> FramePiece? {
        exchange.pointee.input = bytes
        var frame = wslay_frame_iocb()
        let count = wslay_frame_recv(context, &frame)
        bytes = exchange.pointee.input
        exchange.pointee.input = UnsafeRawBufferPointer(start: nil, count: 0)
        if count == WSLAY_ERR_WANT_READ.rawValue { return nil }
        guard count >= 0 else { throw WebSocketError(operation: "receive", code: count) }
        let total = (received ?? 0) &+ UInt64(count)
        let endsFrame = total >= frame.payload_length
        defer { received = endsFrame ? nil : total }
        return FramePiece(
            opcode: Opcode(rawValue: frame.opcode), endsMessage: frame.fin != 0, reserved: frame.rsv,
            isMasked: frame.mask != 0, payloadLength: frame.payload_length, beginsFrame: received == nil,
            endsFrame: endsFrame, bytes: UnsafeRawBufferPointer(start: frame.data, count: frame.data_length))
    }

    /// Appends one frame to the output; a control frame's payload is at most 125 bytes. The corresponding wslay function
    /// is `wslay_frame_send`.
    mutating func send(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, reserved: UInt8 = 0, isMasked: Bool) {
        var frame = wslay_frame_iocb()
        frame.fin = 1
        frame.rsv = reserved
        frame.opcode = opcode.rawValue
        frame.mask = isMasked ? 1 : 0
        frame.payload_length = UInt64(payload.count)
        frame.data = payload.bindMemory(to: UInt8.self).baseAddress
        frame.data_length = payload.count
        // The buffer accepts everything, so one call is enough.
        _ = wslay_frame_send(context, &frame)
    }

    /// How many bytes wait to be written.
    var outputCount: Int { exchange.pointee.output.count }

    /// The bytes that wait to be written, until the codec is used again.
    var output: UnsafeRawBufferPointer { exchange.pointee.output.bytes }

    /// Forgets what was written.
    mutating func dropOutput(_ count: Int) {
        exchange.pointee.output.dropFirst(count)
    }
}
