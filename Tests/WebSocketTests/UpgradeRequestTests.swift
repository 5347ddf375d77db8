import Testing

@testable import WebSocket

@Suite struct UpgradeRequestTests {
    /// The request of RFC 6455, section 1.2, with one line exchanged (nil: left out) and others added.
    static func request(
        line: String = "GET /chat?a=b HTTP/1.1", replacing name: String = "", with replacement: String? = nil,
        adding more: [String] = []
    ) -> [UInt8] {
        var lines = [
            "Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        ]
        if let index = lines.firstIndex(where: { $0.hasPrefix(name + ":") }) {
            lines.remove(at: index)
            if let replacement { lines.insert(replacement, at: index) }
        }
        return Array(([line] + lines + more + ["", ""]).joined(separator: "\r\n").utf8)
    }

    static func parse<R>(
        _ bytes: [UInt8], _ body: (UpgradeRequest) -> R
    ) -> Result<R, UpgradeRefusal> {
        bytes.withUnsafeBytes { bytes in
            do throws(UpgradeRefusal) {
                return .success(body(try UpgradeRequest(bytes)))
            } catch {
                return .failure(error)
            }
        }
    }

    static func refusal(_ bytes: [UInt8]) -> UpgradeRefusal? {
        switch parse(bytes, { _ in }) {
        case .success: nil
        case .failure(let refusal): refusal
        }
    }

    @Test("RFC 6455's example is accepted, and answered with 101 as the RFC does")
    func example() throws {
        let answer = try Self.parse(Self.request(adding: ["Sec-WebSocket-Protocol: chat, superchat"])) { request in
            #expect(request.path.elementsEqual("/chat".utf8))
            #expect(request.query?.elementsEqual("a=b".utf8) == true)
            #expect(request.header("host")?.elementsEqual("server.example.com".utf8) == true)
            #expect(request.header("origin") == nil)
            #expect(request.offers(subprotocol: "superchat") && !request.offers(subprotocol: "super"))
            #expect(request.subprotocol(after: "super")?.elementsEqual("chat".utf8) == true)
            #expect(request.subprotocol(after: "mesher.key.") == nil)
            #expect(request.compression == nil)
            return String(decoding: UpgradeResponse.accepting(request, subprotocol: "chat"), as: UTF8.self)
        }.get()
        #expect(
            answer == """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
                Sec-WebSocket-Protocol: chat\r
                \r\n
                """)
    }

    @Test(
        "what is written another way and means the same is accepted",
        arguments: [
            request(replacing: "Upgrade", with: "upgrade: h2c/1, WebSocket"),
            request(replacing: "Connection", with: "CONNECTION:keep-alive, Upgrade"),
            request(replacing: "Connection", with: "Connection: keep-alive", adding: ["Connection: upgrade"]),
            request(line: "GET http://server.example.com/chat?a=b HTTP/1.1"),
            request(adding: ["Content-Length: 0", "X-Name: \u{e9}\tb", "X-Empty:"]),
            request(adding: ["Sec-WebSocket-Protocol: a,,b", "Sec-WebSocket-Protocol: c"]),
        ])
    func variants(bytes: [UInt8]) {
        #expect(Self.refusal(bytes) == nil)
    }

    @Test(
        "what breaks RFC 6455 or RFC 9112 is refused, for its own reason",
        arguments: [
            (request(line: "POST /chat HTTP/1.1"), UpgradeRefusal.method),
            (request(line: "get /chat HTTP/1.1"), .method),
            (request(line: "GET /chat HTTP/1.0"), .httpVersion),
            (request(line: "GET /chat HTTP/2.0"), .httpVersion),
            (request(line: "GET /chat  HTTP/1.1"), .httpVersion),
            (request(line: "GET /chat"), .malformedHead),
            (request(line: "GET  HTTP/1.1"), .malformedTarget),
            (request(line: "GET chat HTTP/1.1"), .malformedTarget),
            (request(line: "GET * HTTP/1.1"), .malformedTarget),
            (request(line: "GET /chat#a HTTP/1.1"), .malformedTarget),
            (request(line: "GET /\u{e9} HTTP/1.1"), .malformedTarget),
            (request(line: "GET http://host HTTP/1.1"), .malformedTarget),
            (request(replacing: "Host"), .host),
            (request(adding: ["host: other"]), .host),
            (request(adding: ["Content-Length: 1"]), .body),
            (request(adding: ["Content-Length: 0", "Content-Length: 0"]), .body),
            (request(adding: ["Transfer-Encoding: chunked"]), .body),
            (request(replacing: "Upgrade"), .upgrade),
            (request(replacing: "Upgrade", with: "Upgrade: websocket2"), .upgrade),
            (request(replacing: "Upgrade", with: "Upgrade: websocket/13"), .upgrade),
            (request(replacing: "Connection"), .connection),
            (request(replacing: "Connection", with: "Connection: keep-alive"), .connection),
            (request(replacing: "Sec-WebSocket-Version"), .version),
            (request(replacing: "Sec-WebSocket-Version", with: "Sec-WebSocket-Version: 8"), .version),
            (request(replacing: "Sec-WebSocket-Version", with: "Sec-WebSocket-Version: 013"), .version),
            (request(adding: ["Sec-WebSocket-Version: 13"]), .version),
            (request(replacing: "Sec-WebSocket-Key"), .key),
            (request(replacing: "Sec-WebSocket-Key", with: "Sec-WebSocket-Key: c2hvcnQ="), .key),
            (request(adding: ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]), .key),
            (request(adding: ["Sec-WebSocket-Extensions: a;"]), .malformedExtensions),
            (request(adding: ["Sec-WebSocket-Extensions: a b"]), .malformedExtensions),
            (request(adding: ["Sec-WebSocket-Extensions: a; b=\"c d\""]), .malformedExtensions),
            (request(adding: ["Sec-WebSocket-Extensions: a; b=\"c"]), .malformedExtensions),
            (request(adding: ["Sec-WebSocket-Protocol: a b"]), .malformedSubprotocols),
            (request(adding: ["Sec-WebSocket-Protocol: a; b"]), .malformedSubprotocols),
            (request(adding: ["Origin: http://a", "Origin: http://b"]), .origin),
            (request(adding: ["No colon"]), .malformedHead),
            (request(adding: [": no name"]), .malformedHead),
            (request(adding: ["X-Name : space"]), .malformedHead),
            (request(adding: ["X-Name: a", " folded"]), .malformedHead),
            (request(adding: ["X-Name: a\u{0}"]), .malformedHead),
            (request(adding: ["X-Name: a\rb"]), .malformedHead),
            (request(adding: ["X-Name: a\nb: c"]), .malformedHead),
            (Array("\r\n\r\n".utf8), .method), (Array("GET / HTTP/1.1\n\n".utf8), .malformedHead),
            ([], .malformedHead),
        ])
    func refusals(bytes: [UInt8], reason: UpgradeRefusal) {
        #expect(Self.refusal(bytes) == reason)
    }

    @Test("only another version of the protocol is 426, and its answer tells of ours")
    func versions() {
        for refusal in UpgradeRefusal.allCases { #expect(refusal.status == (refusal == .version ? 426 : 400)) }
        let answer = String(
            decoding: UpgradeResponse.refusing(status: 426, reason: "Upgrade Required", body: [0x7B, 0x7D]),
            as: UTF8.self)
        #expect(
            answer.hasPrefix("HTTP/1.1 426 Upgrade Required\r\nContent-Type: application/json\r\nContent-Length: 2\r\n")
        )
        #expect(answer.contains("\r\nSec-WebSocket-Version: 13\r\n") && answer.hasSuffix("\r\n\r\n{}"))
    }

    @Test("a request with any one bit flipped is accepted or refused, and never harms")
    func flips() {
        let bytes = Self.request(adding: [
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=\"10\", x; y=z",
            "Sec-WebSocket-Protocol: mesher.v1, mesher.key.0123456789abcdef0123456789abcdef",
        ])
        #expect(Self.refusal(bytes) == nil)
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                _ = Self.parse(damaged) { UpgradeResponse.accepting($0, subprotocol: "mesher.v1") }
            }
            _ = Self.parse(Array(bytes[..<index])) { _ in }
        }
    }
}
