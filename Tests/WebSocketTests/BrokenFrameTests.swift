import Testing

@testable import WebSocket

@Suite struct BrokenFrameTests {
    /// Frames that a server must not take, and the code it closes with.
    static let broken: [(what: String, frames: [Frame], code: CloseCode)] =
        [
            ("not masked", [Frame(mask: nil)], .protocolError),
            ("a control frame that is not masked", [Frame(opcode: 9, mask: nil)], .protocolError),
            ("RSV1 without compression", [Frame(reserved: 4)], .protocolError),
            ("RSV2", [Frame(reserved: 2)], .protocolError),
            ("RSV3", [Frame(reserved: 1)], .protocolError),
            ("RSV1 on a ping", [Frame(opcode: 9, reserved: 4)], .protocolError),
            ("RSV1 on a close frame", [Frame(opcode: 8, reserved: 4)], .protocolError),
            ("a ping in fragments", [Frame(opcode: 9, isFinal: false)], .protocolError),
            ("a long ping", [.control(.ping, [UInt8](repeating: 1, count: 126))], .protocolError),
            ("a continuation of nothing", [Frame(opcode: 0)], .protocolError),
            ("a continuation after a whole message", [.text("a"), Frame(opcode: 0)], .protocolError),
            ("a message inside of another", [Frame(isFinal: false), Frame()], .protocolError),
            ("a binary message inside of another", [Frame(isFinal: false), Frame(opcode: 2)], .protocolError),
            ("16 bits for a short length", [Frame(payload: [1], lengthBits: 16)], .protocolError),
            ("64 bits for a short length", [Frame(payload: [1], lengthBits: 64)], .protocolError),
            ("64 bits for a middling length", [Frame(length: 0xFFFF, lengthBits: 64)], .protocolError),
            ("a length of 2^63", [Frame(payload: [1], length: 1 << 63)], .protocolError),
            ("a length of 2^63 - 1", [Frame(payload: [1], length: 1 << 63 - 1)], .messageTooBig),
            ("a byte over the limit", [Frame(payload: [1], length: 1025)], .messageTooBig),
            (
                "over the limit in two frames",
                [
                    Frame(isFinal: false, payload: [UInt8](repeating: 0x61, count: 1000)),
                    Frame(opcode: 0, payload: [UInt8](repeating: 0x61, count: 25)),
                ], .messageTooBig
            ),
            ("a close frame of one byte", [.control(.close, [3])], .protocolError),
            ("a close reason that is not UTF-8", [.control(.close, [3, 0xE8, 0xC3])], .invalidData),
            ("half a character", [Frame(payload: [0xC3])], .invalidData),
            (
                "a character cut by the end of the message",
                [Frame(isFinal: false, payload: [0xE2]), Frame(opcode: 0, payload: [0x82])], .invalidData
            ),
            ("a surrogate", [Frame(payload: [0xED, 0xA0, 0x80])], .invalidData),
            ("an overlong NUL", [Frame(payload: [0xC0, 0x80])], .invalidData),
            ("beyond U+10FFFF", [Frame(payload: [0xF4, 0x90, 0x80, 0x80])], .invalidData),
        ]
        + [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF].map {
            ("opcode \($0)", [Frame(opcode: $0)], CloseCode.protocolError)
        }
        + [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map {
            ("close code \($0)", [.close($0)], CloseCode.protocolError)
        }

    @Test("a broken frame ends the connection with its code, however its bytes come", arguments: [1, 2, 3, 5, 1000])
    func codes(step: Int) {
        for (what, frames, code) in Self.broken {
            var server = Peer(limits: .init(messageBytes: 1024))
            let events = server.receive(frames, step: step)
            #expect(events.last == .other(.failed(code)), "\(what)")
            #expect(server.takeOutput().suffix(4) == [0x88, 2, UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)])
            #expect(server.receive([.text("late"), .control(.ping)]) == [], "\(what)")
            #expect(server.takeOutput() == [], "\(what)")
        }
    }

    @Test("what is no UTF-8 is known at once, not at the end of the message")
    func early() {
        var server = Peer()
        #expect(
            server.receive([Frame(isFinal: false, payload: [0x61, 0xFF, 0x61])]) == [.other(.failed(.invalidData))])
        var other = Peer()
        let half = Frame(payload: [0xF4, 0x90] + [UInt8](repeating: 0x61, count: 1000)).bytes
        #expect(other.receive(Array(half.prefix(20))) == [.other(.failed(.invalidData))])
    }

    @Test("a client takes no masked frame, and masks all its own with ever new masks")
    func clients() {
        var client = Peer(.client)
        #expect(client.receive([.text("a")]) == [.other(.failed(.protocolError))])
        var other = Peer(.client)
        #expect(other.receive([Frame(mask: nil, payload: [0x61])]) == [.text("a")])
        other.send("aaaa")
        other.send("aaaa")
        let output = other.takeOutput()
        #expect(output.count == 20 && output[1] == 0x84 && output[11] == 0x84)
        #expect(output[2..<6] != output[12..<16])
    }

    @Test("pings are answered in their number, and control frames never grow what is held")
    func floods() {
        var server = Peer()
        let pings = (0..<1000).map { Frame.control(.ping, [UInt8(truncatingIfNeeded: $0)]) }
        #expect(server.receive(pings).count == 1000)
        #expect(server.takeOutput().count == 3000)
    }
}
