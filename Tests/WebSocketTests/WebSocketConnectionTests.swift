import Testing

@testable import WebSocket

@Suite struct WebSocketConnectionTests {
    @Test("a masked text frame of RFC 6455 is its message, and so in two frames")
    func messages() {
        var server = Peer()
        #expect(server.receive([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]) == [.text("Hello")])
        let parts = Frame.fragmented(Array("Hello".utf8), 3)
        #expect(server.receive(parts) == [.text("Hello")])
        #expect(server.receive([Frame(opcode: 2, payload: [0, 255])]) == [.binary([0, 255])])
        #expect(server.takeOutput() == [])
    }

    @Test("a ping between two frames of a message is answered at once, with its payload")
    func pings() {
        var server = Peer()
        var frames = Frame.fragmented(Array("Hello".utf8), 3)
        frames.insert(.control(.ping, [1, 2, 3]), at: 1)
        #expect(server.receive(frames) == [.other(.ping), .text("Hello")])
        #expect(server.takeOutput() == [0x8A, 3, 1, 2, 3])
        #expect(server.receive([.control(.pong)]) == [.other(.pong)])
        #expect(server.takeOutput() == [])
    }

    @Test("a close frame is answered with its code, and nothing comes after it")
    func closing() {
        var server = Peer()
        #expect(
            server.receive([.close(1001, "gone"), .text("late")]) == [.other(.closed(.goingAway, reason: "gone"))])
        #expect(server.takeOutput() == [0x88, 2, 0x03, 0xE9])
        let isReading = server.connection.isReading
        #expect(!isReading)
        server.send("late")
        server.connection.ping()
        server.connection.close(.normal)
        #expect(server.takeOutput() == [])
    }

    @Test("after our close frame messages are dropped, until the peer's comes")
    func closingFirst() {
        var server = Peer()
        server.connection.close(.serviceRestart, reason: "restart")
        #expect(server.takeOutput() == [0x88, 9, 0x03, 0xF4] + Array("restart".utf8))
        #expect(
            server.receive([.text("late"), .control(.ping), .close(1012)]) == [
                .other(.ping), .other(.closed(.serviceRestart, reason: "")),
            ])
        #expect(server.takeOutput() == [])
    }
}
