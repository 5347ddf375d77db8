import Testing

@testable import WebSocket

/// Client and server of the module against each other.
@Suite struct ConversationTests {
    @Test("what one sends the other gets, of any size, compressed or not", arguments: [false, true])
    func messages(isCompressed: Bool) {
        var client = Peer(.client, isCompressed: isCompressed, limits: .init(compressedFrom: 64))
        var server = Peer(.server, isCompressed: isCompressed, limits: .init(compressedFrom: 64))
        for size in [0, 1, 63, 64, 125, 126, 4095, 4096, 65_535, 65_536, 1 << 20] {
            let text = String(repeating: "a€", count: size / 4) + String(repeating: "b", count: size % 4)
            client.send(text)
            #expect(server.receive(client.takeOutput(), step: 1500) == [.text(text)])
            server.send(text)
            #expect(client.receive(server.takeOutput(), step: 1500) == [.text(text)])
        }
    }

    @Test("a compressed message is shorter on the wire, and one that would not be is sent as it is")
    func compression() {
        var client = Peer(.client, isCompressed: true, limits: .init(compressedFrom: 0))
        client.send(CompressedMessageTests.text)
        let output = client.takeOutput()
        #expect(output[0] == 0xC1 && output.count < 200)
        client.send("a")
        #expect(client.takeOutput().first == 0x81)
    }

    @Test("a ping comes back, and both ends know that the connection is closed")
    func ending() {
        var client = Peer(.client)
        var server = Peer(.server)
        client.connection.ping()
        #expect(server.receive(client.takeOutput()) == [.other(.ping)])
        #expect(client.receive(server.takeOutput()) == [.other(.pong)])
        server.connection.close(.serviceRestart)
        #expect(client.receive(server.takeOutput()) == [.other(.closed(.serviceRestart, reason: ""))])
        #expect(server.receive(client.takeOutput()) == [.other(.closed(.serviceRestart, reason: ""))])
    }

    @Test("both may close at once")
    func crossing() {
        var client = Peer(.client)
        var server = Peer(.server)
        client.connection.close(.normal)
        server.connection.close(.goingAway)
        let fromClient = client.takeOutput()
        #expect(client.receive(server.takeOutput()) == [.other(.closed(.goingAway, reason: ""))])
        #expect(server.receive(fromClient) == [.other(.closed(.normal, reason: ""))])
    }
}
