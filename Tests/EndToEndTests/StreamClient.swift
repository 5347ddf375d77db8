import Foundation
import TestServers
import WebSocket

/// A WebSocket client that sends exactly what it is told, also wrong frames, and reads what comes. It blocks.
final class StreamClient {
    enum Received: Equatable {
        case text(String)
        /// The peer's close frame.
        case closed(UInt16)
        /// The connection ended without one, or nothing came in time.
        case ended
    }

    /// The answer to the upgrade.
    let status: Int
    let head: String
    /// Of a refusal.
    let body: String
    private let connection: RawConnection
    private var webSocket: WebSocketConnection?
    private var unread: [UInt8] = []

    /// Asks for an upgrade, and reads the answer.
    ///
    /// - Parameters:
    ///   - lines: of the request's head, such as `Authorization: Bearer …`.
    ///   - patience: how long reading and writing wait, in seconds.
    convenience init(port: Int, path: String = "/api/v1/stream", _ lines: [String], patience: Int = 20) throws {
        let connection = try RawConnection(port: port, patience: patience)
        connection.send(Self.request(path: path, lines))
        try self.init(asked: connection)
    }

    /// A request for an upgrade.
    static func request(path: String = "/api/v1/stream", _ lines: [String]) -> [UInt8] {
        let fields = [
            "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        return Array(((fields + lines).joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Reads the answer on a connection on which an upgrade was asked for.
    init(asked connection: RawConnection) throws {
        self.connection = connection
        var bytes: [UInt8] = []
        let end = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while headEnd == nil, let more = connection.receive() {
            bytes += more
            headEnd = bytes.indices.first { bytes[$0...].starts(with: end) }.map { $0 + end.count }
        }
        head = String(decoding: bytes[..<(headEnd ?? bytes.count)], as: UTF8.self)
        status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        guard status == 101 else {
            var rest = Array(bytes[(headEnd ?? bytes.count)...])
            let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            let count = length?.split(separator: " ").last.flatMap { Int($0) } ?? 0
            while rest.count < count, let more = connection.receive() { rest += more }
            body = String(decoding: rest, as: UTF8.self)
            return
        }
        body = ""
        unread = Array(bytes[(headEnd ?? bytes.count)...])
        webSocket = try WebSocketConnection.open(.client)
    }

    func send(_ text: String) {
        Array(text.utf8).withUnsafeBytes { webSocket?.send(text: $0) }
        flush()
    }

    func close() {
        webSocket?.close(.normal)
        flush()
    }

    /// Sends bytes that are perhaps no frame.
    func sendRaw(_ bytes: [UInt8]) {
        connection.send(bytes)
    }

    /// The next message or the end; pings are answered on the way, but not for ever.
    func receive() -> Received {
        let deadline = Date(timeIntervalSinceNow: 60)
        while Date() < deadline {
            let (event, text) = nextEvent()
            flush()
            switch event {
            case .text: return .text(text)
            case .closed(let code, _): return .closed(code.rawValue)
            case .failed: return .ended
            case .binary, .ping, .pong: continue
            case nil: break
            }
            guard let more = connection.receive() else { return .ended }
            unread += more
        }
        return .ended
    }

    private func nextEvent() -> (WebSocketEvent?, String) {
        let bytes = unread
        return bytes.withUnsafeBytes { buffer in
            var rest = buffer
            let event = webSocket?.receive(&rest)
            unread = Array(rest)
            return (event, webSocket?.withMessage { String(decoding: $0, as: UTF8.self) } ?? "")
        }
    }

    private func flush() {
        guard let output = webSocket?.withOutput({ Array($0) }), !output.isEmpty else { return }
        webSocket?.dropOutput(output.count)
        connection.send(output)
    }
}

/// A connection to a port of this machine.
final class RawConnection {
    private let socket: Int32

    init(port: Int, patience: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw HTTPConnection.Failure(description: "connect to port \(port): errno \(errno)") }
    }

    deinit {
        close(socket)
    }

    /// Returns when the peer's system has all that was sent.
    func awaitDelivery() {
        HTTPConnection.awaitDelivery(socket)
    }

    /// Ends the sending half of the connection.
    func finishSending() {
        shutdown(socket, Int32(SHUT_WR))
    }

    /// Lets the connection end with a reset once the peer's system has all that was sent.
    func reset() {
        HTTPConnection.reset(socket)
    }

    /// Sends what the peer takes within the patience.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { rest in
                uninterrupted { Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL)) }
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The bytes that come next; nil at the end, or when none came within the patience.
    func receive() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = uninterrupted { recv(socket, &bytes, bytes.count, 0) }
        return count > 0 ? Array(bytes[..<count]) : nil
    }
}
