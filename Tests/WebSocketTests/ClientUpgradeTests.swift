import Testing

@testable import WebSocket

@Suite struct ClientUpgradeTests {
    static func outcome(_ upgrade: ClientUpgrade, _ answer: [UInt8]) -> ClientUpgrade.Outcome {
        answer.withUnsafeBytes { upgrade.outcome($0) }
    }

    @Test("what the client asks is what the server takes, and its answer what the client takes")
    func agreement() throws {
        let upgrade = ClientUpgrade()
        let request = upgrade.request(host: "h:1", target: "/ingest?x", fields: ["Authorization: Bearer k"])
        let answer = try UpgradeRequestTests.parse(request) { request in
            #expect(request.path.elementsEqual("/ingest".utf8))
            #expect(request.header("authorization")?.elementsEqual("Bearer k".utf8) == true)
            return UpgradeResponse.accepting(request)
        }.get()
        #expect(Self.outcome(upgrade, answer) == .accepted(MessageCompression()))
        #expect(Self.outcome(ClientUpgrade(), answer) == .invalid("Sec-WebSocket-Accept does not fit the key"))
        let plain = upgrade.request(host: "h:1", target: "/", compression: false)
        let plainAnswer = try UpgradeRequestTests.parse(plain) { UpgradeResponse.accepting($0) }.get()
        #expect(Self.outcome(upgrade, plainAnswer) == .accepted(nil))
    }

    @Test("a refusal tells its status, how long to wait and how long its body is")
    func refusals() {
        let answer = UpgradeResponse.refusing(
            status: 429, reason: "Too Many Requests", fields: ["Retry-After: 7"], body: Array("{}".utf8))
        #expect(
            Self.outcome(ClientUpgrade(), Array(answer.dropLast(2)))
                == .refused(status: 429, retryAfter: 7, bodyLength: 2))
        #expect(
            Self.outcome(ClientUpgrade(), Array("HTTP/1.1 502 Bad Gateway\r\nRetry-After: soon\r\n\r\n".utf8))
                == .refused(status: 502, retryAfter: nil, bodyLength: 0))
    }

    @Test(
        "what is no answer is invalid",
        arguments: [
            "", "\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 1x1 No\r\n\r\n", "HTTP/1.1 1010\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        ])
    func nonsense(text: String) {
        guard case .invalid = Self.outcome(ClientUpgrade(), Array(text.utf8)) else {
            Issue.record("taken for an answer")
            return
        }
    }
}
