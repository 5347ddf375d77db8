import Testing

@testable import WebSocket

/// The numbers of SplitMix64: the same ones for a seed, so that what fails can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

@Suite struct HostileFrameTests {
    /// A conversation with every kind of frame in it.
    static let conversation: [Frame] =
        [.text("{\"level\":\"error\"}"), .control(.ping, [1]), .text("")]
        + Frame.fragmented(Array("Größe €, 𝄞".utf8), 4) + [.control(.pong)]
        + CompressedMessageTests.compressed(
            Array("{\"level\":\"fatal\",\"message\":\"aaaaaaaaaaaa\"}".utf8), fragment: 9)
        + [Frame(opcode: 2, payload: [UInt8](repeating: 7, count: 300)), .close(1000, "bye")]

    @Test("every cut of a conversation in two gives the same events, and so does one byte at a time")
    func cuts() {
        let bytes = Self.conversation.flatMap(\.bytes)
        var server = Peer(isCompressed: true)
        let whole = server.receive(bytes)
        #expect(whole.count == 8 && whole.last == .other(.closed(.normal, reason: "bye")))
        for cut in bytes.indices {
            var server = Peer(isCompressed: true)
            let first = server.receive(Array(bytes[..<cut]))
            #expect(first + server.receive(Array(bytes[cut...])) == whole, "cut at \(cut)")
        }
        var slow = Peer(isCompressed: true)
        #expect(slow.receive(bytes, step: 1) == whole)
    }

    @Test("a conversation with any one bit flipped never harms, and ends at the latest with the bytes")
    func flips() {
        let bytes = Self.conversation.flatMap(\.bytes)
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                var server = Peer(isCompressed: true, limits: .init(messageBytes: 4096))
                _ = server.receive(damaged)
                let count = server.takeOutput().count
                #expect(count <= bytes.count)
            }
        }
    }

    @Test("thousands of random frames never harm, and no message exceeds the limit", arguments: [1, 2, 3, 4])
    func random(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<1500 {
            let role: WebSocketConnection.Role = Bool.random(using: &generator) ? .server : .client
            var peer = Peer(role, isCompressed: Bool.random(using: &generator), limits: .init(messageBytes: 512))
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes += Self.frame(role, using: &generator).bytes
            }
            for event in peer.receive(bytes, step: Int.random(in: 1...64, using: &generator)) {
                switch event {
                case .text(let text): #expect(text.utf8.count <= 512)
                case .binary(let bytes): #expect(bytes.count <= 512)
                case .other: break
                }
            }
        }
    }

    /// Mostly one that is allowed, so that what follows it is read, too.
    private static func frame(
        _ role: WebSocketConnection.Role, using generator: inout SeededGenerator
    ) -> Frame {
        func rarely() -> Bool { Int.random(in: 0..<12, using: &generator) == 0 }
        var frame = Frame(opcode: [0, 1, 1, 2, 8, 9, 10].randomElement(using: &generator) ?? 0)
        frame.isFinal = Bool.random(using: &generator)
        frame.reserved =
            rarely() ? UInt8.random(in: 0...7, using: &generator) : [0, 4].randomElement(using: &generator) ?? 0
        frame.payload = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
            UInt8.random(in: 0...127, using: &generator)
        }
        if Bool.random(using: &generator) { frame.payload = Frame.deflated(frame.payload) }
        if rarely() { frame.opcode = UInt8.random(in: 0...15, using: &generator) }
        if rarely() { frame.length = UInt64.random(in: 0...UInt64.max, using: &generator) >> 20 }
        if rarely() { frame.lengthBits = [16, 64].randomElement(using: &generator) }
        if (role == .client) != rarely() { frame.mask = nil }
        return frame
    }
}
