import WebSocket

/// WebSocket's opening handshake, and what follows it, at both ends.
enum WebSocketFuzzing {
    private static let limits = WebSocketConnection.Limits(messageBytes: 4_096, compressedFrom: 16)

    private static let request = ClientUpgrade().request(
        host: "in.example", target: "/api/v1/stream?sentry_key=0123456789abcdef0123456789abcdef",
        fields: ["Sec-WebSocket-Protocol: mesher.v1, mesher.key.0123456789abcdef0123456789abcdef"])

    private static let compression = request.withUnsafeBytes { try? UpgradeRequest($0) }?.compression

    /// The handshake, what our own client and server send, and a message in fragments.
    static let seeds: [[UInt8]] = [request] + [.client, .server].flatMap { conversation(of: $0) }

    private static func conversation(of role: WebSocketConnection.Role) -> [[UInt8]] {
        let text = Array(#"{"message":"it broke é😀","level":"error","tags":{"a":"aaaaaaaaaaaaaaaaaaaa"}}"#.utf8)
        var seeds: [[UInt8]] = []
        for compression in [nil, compression] {
            guard var connection = try? WebSocketConnection.open(role, compression: compression, limits: limits) else {
                continue
            }
            text.withUnsafeBytes { connection.send(text: $0) }
            text.withUnsafeBytes { connection.ping($0) }
            text.withUnsafeBytes { connection.send(binary: $0) }
            connection.close(.normal, reason: "bye")
            seeds.append(connection.withOutput { Array($0) })
        }
        let mask: [UInt8] = role == .client ? [0, 0, 0, 0] : []
        let bit: UInt8 = role == .client ? 0x80 : 0
        let fragments: [[UInt8]] = [
            [0x01, bit | 2], mask, [0x61, 0xC3], [0x89, bit], mask, [0x80, bit | 1], mask, [0xA9],
        ]
        return seeds + [Array(fragments.joined())]
    }

    /// Reads the input as a request, as a response, and as frames from either end, in pieces of several sizes.
    static func consume(_ input: [UInt8]) {
        input.withUnsafeBytes { bytes in
            if let request = try? UpgradeRequest(bytes) {
                _ = UpgradeResponse.accepting(request)
                _ = request.subprotocol(after: "mesher.key.")
            }
            _ = ClientUpgrade().outcome(bytes)
            for role: WebSocketConnection.Role in [.server, .client] {
                for agreed in [nil, compression] { read(bytes, role, agreed, step: 1 + input.count % 7 * 9) }
            }
        }
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer, _ role: WebSocketConnection.Role, _ compression: MessageCompression?, step: Int
    ) {
        guard var connection = try? WebSocketConnection.open(role, compression: compression, limits: limits) else {
            return
        }
        for start in stride(from: 0, to: bytes.count, by: step) {
            var piece = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + step, bytes.count)])
            while let event = connection.receive(&piece) {
                if event == .text || event == .binary {
                    connection.withMessage { precondition($0.count <= limits.messageBytes, "a message over the limit") }
                }
            }
        }
    }
}
