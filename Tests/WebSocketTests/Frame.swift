@testable import Deflate
@testable import WebSocket

/// A frame as a peer writes it, also one that no peer may write.
struct Frame {
    var opcode: UInt8 = 1
    var isFinal = true
    /// RSV1 to RSV3, from 4 to 1.
    var reserved: UInt8 = 0
    var mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    var payload: [UInt8] = []
    /// Another length than the payload has, or another form of it than the shortest: 7, 16 or 64 bits.
    var length: UInt64?
    var lengthBits: Int?

    static func text(_ text: String) -> Frame { Frame(payload: Array(text.utf8)) }
    static func control(_ opcode: Opcode, _ payload: [UInt8] = []) -> Frame {
        Frame(opcode: opcode.rawValue, payload: payload)
    }
    static func close(_ code: UInt16, _ reason: String = "") -> Frame {
        control(.close, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    }

    /// A message in frames of at most `size` bytes, as a client sends it; its opcode and bits stand in the first.
    static func fragmented(_ payload: [UInt8], _ size: Int, opcode: UInt8 = 1, reserved: UInt8 = 0) -> [Frame] {
        let starts = payload.isEmpty ? [0] : Array(stride(from: 0, to: payload.count, by: size))
        return starts.map { start in
            Frame(
                opcode: start == 0 ? opcode : 0, isFinal: start + size >= payload.count,
                reserved: start == 0 ? reserved : 0, payload: Array(payload[start..<min(start + size, payload.count)]))
        }
    }

    /// What stands for `message` in a compressed one.
    static func deflated(_ message: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        precondition(message.withUnsafeBytes { Deflater.deflate($0, windowBits: 15) { bytes += Array($0) } })
        return Array(bytes.dropLast(4))
    }

    var bytes: [UInt8] {
        let length = length ?? UInt64(payload.count)
        let bits = lengthBits ?? (length < 126 ? 7 : length < 1 << 16 ? 16 : 64)
        let marker: UInt8 = bits == 7 ? UInt8(truncatingIfNeeded: length) : bits == 16 ? 126 : 127
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode, (mask == nil ? 0 : 0x80) | marker]
        if bits > 7 {
            for shift in stride(from: bits - 8, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
            }
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }
}

/// One end of a connection and what came of the bytes that it was given.
struct Peer: ~Copyable {
    enum Event: Equatable {
        case text(String)
        case binary([UInt8])
        case other(WebSocketEvent)
    }

    var connection: WebSocketConnection

    init(
        _ role: WebSocketConnection.Role = .server, isCompressed: Bool = false,
        limits: WebSocketConnection.Limits = .init()
    ) {
        self.init(role, compression: isCompressed ? MessageCompression() : nil, limits: limits)
    }

    init(
        _ role: WebSocketConnection.Role, compression: MessageCompression?,
        limits: WebSocketConnection.Limits = .init(), mayHold: @escaping (Int) -> Bool = { _ in true }
    ) {
        connection = try! WebSocketConnection.open(role, compression: compression, limits: limits, mayHold: mayHold)
    }

    /// Gives it bytes, `step` at a time.
    mutating func receive(_ bytes: [UInt8], step: Int = .max) -> [Event] {
        var events: [Event] = []
        var start = 0
        repeat {
            let end = start + min(step, bytes.count - start)
            bytes[start..<end].withUnsafeBytes { part in
                var rest = part
                while let event = connection.receive(&rest) {
                    switch event {
                    case .text: events.append(.text(connection.withMessage { String(decoding: $0, as: UTF8.self) }))
                    case .binary: events.append(.binary(connection.withMessage { Array($0) }))
                    default: events.append(.other(event))
                    }
                }
                precondition(rest.isEmpty)
            }
            start = end
        } while start < bytes.count
        return events
    }

    mutating func receive(_ frames: [Frame], step: Int = .max) -> [Event] {
        receive(frames.flatMap(\.bytes), step: step)
    }

    mutating func takeOutput() -> [UInt8] {
        let bytes = connection.withOutput { Array($0) }
        connection.dropOutput(bytes.count)
        return bytes
    }

    mutating func send(_ text: String) {
        Array(text.utf8).withUnsafeBytes { connection.send(text: $0) }
    }
}
