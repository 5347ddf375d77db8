/// The server's part of the opening handshake, as bytes to write.
package enum UpgradeResponse {
    /// The answer with 101 (RFC 6455, section 4.2.2), after which a `WebSocketConnection` with `request.compression` takes
    /// over.
    ///
    /// - Parameter subprotocol: the one chosen of those that the client offers.
    package static func accepting(_ request: UpgradeRequest, subprotocol: StaticString? = nil) -> [UInt8] {
        var text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Accept: \(AcceptKey.accept(request.key))\r\n"
        if let subprotocol { text += "Sec-WebSocket-Protocol: \(subprotocol)\r\n" }
        if let compression = request.compression { text += "Sec-WebSocket-Extensions: \(compression.answer)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// A refusal, after which the server closes.
    ///
    /// - Parameter fields: further lines of the head, each `Name: value`.
    /// - Parameter body: JSON.
    package static func refusing(
        status: Int, reason: StaticString, fields: [String] = [], body: [UInt8]
    ) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(reason)\r\nContent-Type: application/json\r\n"
        text += "Content-Length: \(body.count)\r\nConnection: close\r\n"
        // RFC 6455, section 4.4: the supported version.
        if status == 426 { text += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" }
        for field in fields { text += field + "\r\n" }
        return Array((text + "\r\n").utf8) + body
    }
}
