import StorageChannel
import Testing

@testable import mesher_stream

private let testKey = "0123456789abcdef0123456789abcdef"

struct HandshakeTests {
    private func request(_ path: String = "/api/v1/stream", _ lines: [String] = []) -> [UInt8] {
        let head = [
            "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        return Array(((head + lines).joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private func key(_ bytes: [UInt8]) throws -> KeyID? {
        var handshake = Handshake()
        return try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            return try handshake.receive(&rest)
        }
    }

    @Test(
        "The key is found wherever the contract has it",
        arguments: [
            ("/api/v1/stream", "X-Sentry-Auth: Sentry sentry_version=7, sentry_key=\(testKey)"),
            ("/ingest", "Authorization: Bearer \(testKey)"), ("/ingest?sentry_key=\(testKey)", "X-Nothing: 1"),
            ("/api/v1/stream", "Sec-WebSocket-Protocol: mesher.v1, mesher.key.\(testKey)"),
        ])
    func findsKey(path: String, line: String) throws {
        #expect(try key(request(path, [line])) == KeyID(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef))
    }

    @Test("A request without a key, with another path, or that is no upgrade is refused with its status")
    func refuses() {
        func status(_ bytes: [UInt8]) -> Int? {
            do {
                _ = try key(bytes)
                return nil
            } catch {
                return (error as? HTTPRefusal)?.status
            }
        }
        #expect(status(request()) == 401)
        #expect(status(request("/api/v1/stream", ["Sec-WebSocket-Protocol: mesher.key.12"])) == 401)
        #expect(status(request("/", ["Authorization: Bearer \(testKey)"])) == 404)
        #expect(status(Array("GET /ingest HTTP/1.1\r\nHost: x\r\n\r\n".utf8)) == 400)
        #expect(status([UInt8](repeating: 0x41, count: 9_000)) == 400)
    }

    @Test("Of the subprotocols offered mesher.v1 is chosen, and never the one with the key")
    func subprotocol() throws {
        var handshake = Handshake()
        let bytes = request("/ingest", ["Sec-WebSocket-Protocol: mesher.key.\(testKey), mesher.v1"])
        _ = try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            return try handshake.receive(&rest)
        }
        let text = String(decoding: try handshake.accept().text, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 101 "))
        #expect(text.contains("Sec-WebSocket-Protocol: mesher.v1\r\n") && !text.contains(testKey))
    }

    @Test("What a client sends behind its request is left for the stream")
    func leavesRest() throws {
        var handshake = Handshake()
        let bytes = request("/ingest?sentry_key=\(testKey)") + [1, 2, 3]
        let rest = try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            _ = try handshake.receive(&rest)
            return Array(rest)
        }
        #expect(rest == [1, 2, 3])
    }

    @Test(
        "A page is let in where its origin is allowed, a program that names none everywhere",
        arguments: [
            ("", "https://evil.example", true), ("https://shop.example", "https://shop.example", true),
            ("https://shop.example", "https://Shop.example", true), ("https://shop.example", nil, true),
            ("https://shop.example", "https://evil.example", false), ("https://shop.example", "null", false),
            ("https://shop.example", "", false), ("https://*.shop.example", "https://a.shop.example", true),
            ("https://*.shop.example", "https://shop.example.evil.example", false),
        ])
    func origins(allowed: String, origin: String?, isAllowed: Bool) throws {
        var handshake = Handshake()
        let bytes = request("/ingest?sentry_key=\(testKey)", origin.map { ["Origin: \($0)"] } ?? [])
        _ = try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            return try handshake.receive(&rest)
        }
        #expect(try handshake.isAllowed(by: AllowedOrigins(allowed.utf8)) == isAllowed)
    }
}
