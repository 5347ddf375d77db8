/// Why a request is no valid upgrade, RFC 6455, section 4.2.1.
package enum UpgradeRefusal: Error, CaseIterable, Sendable {
    case headTooLong, malformedHead, method, malformedTarget, httpVersion, host, body, upgrade, connection, version, key
    case origin, malformedExtensions, malformedSubprotocols

    /// The HTTP status of the answer: 426 for an unsupported version, 400 for the rest.
    package var status: Int { self == .version ? 426 : 400 }

    /// What is wrong, for the sender.
    package var message: StaticString {
        switch self {
        case .headTooLong: "request head is longer than 8192 bytes"
        case .malformedHead: "malformed request head"
        case .method: "method must be GET"
        case .malformedTarget: "malformed request target"
        case .httpVersion: "HTTP/1.1 is required"
        case .host: "exactly one Host header is required"
        case .body: "an upgrade has no body"
        case .upgrade: "header required: Upgrade: websocket"
        case .connection: "header required: Connection: Upgrade"
        case .version: "header required: Sec-WebSocket-Version: 13"
        case .key: "header required: Sec-WebSocket-Key, 16 bytes in base64"
        case .origin: "at most one Origin header is allowed"
        case .malformedExtensions: "malformed Sec-WebSocket-Extensions"
        case .malformedSubprotocols: "malformed Sec-WebSocket-Protocol"
        }
    }
}
