/// A request for a WebSocket upgrade without a key, RFC 6455: the listener forks a session, which asks for nothing else and
/// refuses it.
enum UpgradeProbe {
    static func request() -> [UInt8] {
        let lines = [
            "GET /api/v1/stream HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: bWVzaGVyLXdhdGNoZG9nIQ==",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Whether this is a session's answer, and not that of a listener that is full.
    static func isGood(_ answer: [UInt8]) -> Bool {
        answer.starts(with: "HTTP/1.1 401 ".utf8)
    }
}
