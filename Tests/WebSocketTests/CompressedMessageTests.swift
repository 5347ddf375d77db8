import RecordedInputs
import Testing

@testable import WebSocket

@Suite struct CompressedMessageTests {
    static let text = String(repeating: "An error, and another. ", count: 500)

    static func compressed(_ message: [UInt8], fragment: Int = .max / 2) -> [Frame] {
        Frame.fragmented(Frame.deflated(message), fragment, reserved: 4)
    }

    @Test("a compressed message comes out as it went in, however it is cut", arguments: [1, 2, 3, 50, 100_000])
    func roundTrip(size: Int) {
        var server = Peer(isCompressed: true)
        let frames = Self.compressed(Array(Self.text.utf8), fragment: size)
        #expect(server.receive(frames, step: size) == [.text(Self.text)])
        #expect(server.receive([.text("plain")] + frames) == [.text("plain"), .text(Self.text)])
        #expect(server.receive(Self.compressed([])) == [.text("")])
    }

    @Test(
        "RFC 7692's examples are Hello: compressed, stored, in two blocks, and with a block that calls itself the last")
    func examples() {
        for payload: [UInt8] in [
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
        ] {
            var server = Peer(isCompressed: true)
            #expect(server.receive([Frame(reserved: 4, payload: payload)]) == [.text("Hello")])
        }
    }

    @Test("each message stands for itself: none can point into the one before")
    func noContext() {
        var server = Peer(isCompressed: true)
        #expect(server.receive(Self.compressed(Array("Hello".utf8))) == [.text("Hello")])
        // RFC 7692, section 7.2.3.2: the second Hello where the context is kept.
        let pointing = Frame(reserved: 4, payload: [0xF2, 0x00, 0x11, 0x00, 0x00])
        #expect(server.receive([pointing]) == [.other(.failed(.invalidData))])
    }

    @Test("the limit holds for what is inflated: a byte over it ends the connection, and so does a bomb")
    func limit() {
        let limits = WebSocketConnection.Limits(messageBytes: 10_000)
        for (size, isTaken) in [(9_999, true), (10_000, true), (10_001, false), (50_000_000, false)] {
            var server = Peer(isCompressed: true, limits: limits)
            let events = server.receive(Self.compressed([UInt8](repeating: 0x61, count: size), fragment: 100))
            if isTaken {
                #expect(events == [.text(String(repeating: "a", count: size))])
            } else {
                #expect(events == [.other(.failed(.messageTooBig))], "\(size)")
            }
        }
    }

    @Test(
        "a message that is slow to inflate ends the connection with 1009, however it is cut", arguments: [100, 100_000])
    func slow(size: Int) {
        let noise = (0..<60_000).map { _ in UInt8.random(in: 0x20...0x7e) }
        let frames = Self.compressed(noise, fragment: size)
        // For a step of 2 KiB, of which honest ones take 32 us at most, and for the end of a piece.
        for (nanoseconds, isTaken) in [(30_000, true), (5_400_000, false)] as [(Int64, Bool)] {
            var limits = WebSocketConnection.Limits()
            let clock = SteppingClock(nanoseconds / Int64(max(1, 2_048 / size)))
            limits.processorTime = clock.read
            var server = Peer(isCompressed: true, limits: limits)
            let events = server.receive(frames)
            if isTaken {
                #expect(events == [.text(String(decoding: noise, as: UTF8.self))])
                #expect(clock.readings > 20)
                #expect(server.receive([.text("plain")]) == [.text("plain")])
            } else {
                #expect(events == [.other(.failed(.messageTooBig))])
                #expect(clock.readings < 200)
            }
        }
    }

    @Test("what does not inflate, is cut short, or is no UTF-8 ends the connection with 1007")
    func damage() {
        let whole = Frame.deflated(Array(Self.text.utf8))
        for payload in [[0x07], [0xFF, 0xFF, 0xFF], Array(whole.dropLast(1)), Array(whole.prefix(10))] {
            var server = Peer(isCompressed: true)
            #expect(server.receive([Frame(reserved: 4, payload: payload)]) == [.other(.failed(.invalidData))])
        }
        var server = Peer(isCompressed: true)
        #expect(server.receive(Self.compressed([0x61, 0xC3])) == [.other(.failed(.invalidData))])
    }

    @Test("the bit that says compressed stands in a message's first frame alone, and only if that was agreed on")
    func reservedBit() {
        var server = Peer(isCompressed: true)
        var frames = Self.compressed(Array(Self.text.utf8), fragment: 20)
        frames[1].reserved = 4
        #expect(server.receive(frames) == [.other(.failed(.protocolError))])
    }
}
