import Testing

@testable import WebSocket

@Suite struct OverfullMessageTests {
    @Test("a message that may not grow is given up when it would, compressed or not, in one frame or in many")
    func givenUp() {
        let message = [UInt8](repeating: 0x61, count: 100_000)
        let forms = [
            Frame.fragmented(message, .max / 2), Frame.fragmented(message, 1_000),
            CompressedMessageTests.compressed(message), CompressedMessageTests.compressed(message, fragment: 10),
        ]
        for frames in forms {
            for (limit, isTaken) in [(100_000, true), (99_999, false), (0, false)] {
                var asked: [Int] = []
                var server = Peer(.server, compression: MessageCompression()) {
                    asked.append($0)
                    return $0 <= limit
                }
                let events = server.receive(frames)
                let (hasStopped, held) = (server.connection.hasStopped, server.connection.heldCount)
                #expect(events.isEmpty == !isTaken && hasStopped == !isTaken)
                #expect(held == 0 && asked == asked.sorted())
            }
        }
    }

    @Test("after it answers can be sent, messages are dropped, and the connection is closed as ever")
    func afterwards() {
        var server = Peer(.server, compression: nil) { $0 <= 10 }
        let rest = Frame(opcode: 0, payload: [0x61])
        #expect(
            server.receive([.text("short"), .text("longer than ten"), rest, .text("late"), .control(.ping)])
                == [.text("short"), .other(.ping)])
        _ = server.takeOutput()
        server.send("answer")
        server.connection.close(.tryAgainLater)
        #expect(server.takeOutput() == [0x81, 6] + Array("answer".utf8) + [0x88, 2, 0x03, 0xF5])
        #expect(server.receive([.close(1013)]) == [.other(.closed(.tryAgainLater, reason: ""))])
    }

    @Test("it tells how much has come of a message that is not whole, as it was sent, and which one it is")
    func unfinished() {
        var server = Peer(.server, compression: MessageCompression())
        func expect(_ number: UInt64, _ received: Int, sourceLocation: SourceLocation = #_sourceLocation) {
            let unfinished = server.connection.unfinished
            let expected = UnfinishedMessage(number: number, received: received)
            #expect(unfinished == expected, sourceLocation: sourceLocation)
        }
        let frames = CompressedMessageTests.compressed([UInt8](repeating: 0x61, count: 100_000), fragment: 20)
        _ = server.receive(Array(frames.prefix(2)))
        expect(1, 40)
        _ = server.receive([.control(.ping)])
        expect(1, 40)
        _ = server.receive(Array(frames.dropFirst(2)))
        let isBetween = server.connection.unfinished == nil
        #expect(isBetween)
        _ = server.receive([Frame(isFinal: false, payload: [0x61])])
        expect(2, 1)
    }

    @Test("the memory of a message is given back when it is forgotten")
    func forgotten() {
        var server = Peer(.server, compression: nil)
        #expect(server.receive([.text("message")]) == [.text("message")])
        server.connection.forgetMessage()
        let held = server.connection.heldCount
        #expect(held == 0)
    }
}
