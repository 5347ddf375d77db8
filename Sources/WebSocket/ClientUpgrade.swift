/// The client's part of the opening handshake, RFC 6455, section 4.1: its request, and the check of the answer.
package struct ClientUpgrade: Sendable {
    /// The result of the handshake.
    package enum Outcome: Equatable, Sendable {
        /// The connection is WebSocket's from here on.
        case accepted(MessageCompression?)
        /// The server refused; `bodyLength` bytes with the reason follow the head. `retryAfter` is in seconds.
        case refused(status: Int, retryAfter: Int?, bodyLength: Int)
        /// Not an answer to this request.
        case invalid(String)
    }

    private let key = AcceptKey.nonce()

    package init() {}

    /// The request, as bytes to write.
    ///
    /// - Parameter target: path and query.
    /// - Parameter fields: further lines of the head, each `Name: value`.
    package func request(host: String, target: String, fields: [String] = [], compression: Bool = true) -> [UInt8] {
        var text = "GET \(target) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(String(decoding: key, as: UTF8.self))\r\n"
        if compression { text += "Sec-WebSocket-Extensions: \(MessageCompression.offer)\r\n" }
        for field in fields { text += field + "\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// Interprets the server's complete head.
    package func outcome(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let head = HTTPHead(bytes), let status = Self.status(head.startLine) else {
            return .invalid("malformed response head")
        }
        guard status == 101 else {
            return .refused(
                status: status, retryAfter: Self.number(head.only("retry-after")),
                bodyLength: Self.number(head.only("content-length")) ?? 0)
        }
        guard head.lists("upgrade", "websocket"), head.lists("connection", "upgrade") else {
            return .invalid("the server does not upgrade to WebSocket")
        }
        let accept = key.withUnsafeBytes { AcceptKey.accept($0) }
        guard let answer = head.only("sec-websocket-accept"), answer.elementsEqual(accept.utf8) else {
            return .invalid("Sec-WebSocket-Accept does not fit the key")
        }
        guard head.count("sec-websocket-extensions") > 0 else { return .accepted(nil) }
        guard let extensions = head.only("sec-websocket-extensions") else {
            return .invalid("more than one Sec-WebSocket-Extensions")
        }
        var elements = HeaderElements(extensions)
        guard let compression = MessageCompression.agreed(in: &elements) else {
            return .invalid("the server wants an extension that was not offered")
        }
        return .accepted(compression)
    }

    /// Of `HTTP/1.1 101 Switching Protocols`.
    private static func status(_ line: UnsafeRawBufferPointer) -> Int? {
        guard line.hasPrefix("HTTP/1.1 "), line.count >= 12, line.count == 12 || line[12] == 0x20 else { return nil }
        return number(UnsafeRawBufferPointer(rebasing: line[9..<12]))
    }

    /// Digits alone, at most nine.
    private static func number(_ text: UnsafeRawBufferPointer?) -> Int? {
        guard let text, (1...9).contains(text.count) else { return nil }
        var value = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
