import Foundation
import TestServers

/// A connection that sends exactly the bytes it is given, also wrong ones, and reads answers. It blocks.
final class HTTPConnection {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let socket: Int32
    private var received: [UInt8] = []
    private var isEnded = false

    /// - Parameter patience: how long reading and writing wait, in seconds.
    init(port: Int, patience: Int = 30) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
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
        guard result == 0 else { throw Failure(description: "connect to port \(port): errno \(errno)") }
    }

    deinit {
        close(socket)
    }

    /// Sends all bytes; a peer that no longer reads is no error, since its answer may wait to be read.
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

    func send(_ text: String) {
        send(Array(text.utf8))
    }

    /// Lets the connection end with a reset, tcp(7), once the peer's system has all that was sent: what has not left by then
    /// a reset would take back.
    func reset() {
        Self.reset(socket)
    }

    static func reset(_ socket: Int32) {
        awaitDelivery(socket)
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    /// Returns when the peer's system has all that was sent.
    static func awaitDelivery(_ socket: Int32) {
        _ = eventually {
            var unsent: CInt = 0
            return ioctl(socket, UInt(TIOCOUTQ), &unsent) == 0 && unsent == 0
        }
    }

    /// Ends the sending half of the connection.
    func finishSending() {
        shutdown(socket, Int32(SHUT_WR))
    }

    /// Sends a request with a `Content-Length`, unless the headers say how long the body is.
    func send(_ method: String, _ target: String, _ headers: [(String, String)] = [], body: [UInt8] = []) {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let saysLength = headers.contains { ["content-length", "transfer-encoding"].contains($0.0.lowercased()) }
        if !saysLength && (method != "GET") { head += "Content-Length: \(body.count)\r\n" }
        send(Array((head + "\r\n").utf8) + body)
    }

    /// Reads one answer; interim ones (100) are skipped. An empty end of the connection is a failure.
    func receive() throws -> HTTPResponse {
        while true {
            let head = try readHead()
            let lines = head.components(separatedBy: "\r\n")
            let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            guard status >= 200 else { continue }
            let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                return (String(line[..<colon]), value)
            }
            func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
            let body: [UInt8]
            if status == 204 || status == 304 {
                body = []
            } else if header("transfer-encoding")?.lowercased() == "chunked" {
                body = try readChunks()
            } else if let length = header("content-length").flatMap({ Int($0) }) {
                body = try read(length)
            } else {
                body = readToEnd()
            }
            return HTTPResponse(status: status, headers: headers, body: body)
        }
    }

    /// Whether the peer has closed the connection, waiting for it up to the patience.
    func isClosed() -> Bool {
        received.isEmpty && !fill() && errno != EAGAIN
    }

    /// Whether something can be read.
    var hasAnswer: Bool {
        var state = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return !received.isEmpty || poll(&state, 1, 0) > 0
    }

    /// Whether the connection has ended with nothing more to read: also when what was sent last met its end.
    var isSpent: Bool { isEnded && received.isEmpty }

    private func readHead() throws -> String {
        try String(decoding: readLineEnded(by: Array("\r\n\r\n".utf8)), as: UTF8.self)
    }

    private func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let size = try String(decoding: readLineEnded(by: Array("\r\n".utf8)), as: UTF8.self)
            guard let count = Int(size, radix: 16) else { throw Failure(description: "chunk size \(size)") }
            body += try read(count)
            _ = try read(2)
            if count == 0 { return body }
        }
    }

    private func readLineEnded(by end: [UInt8]) throws -> [UInt8] {
        var searched = 0
        while true {
            while searched + end.count <= received.count {
                if received[searched..<searched + end.count].elementsEqual(end) {
                    let line = Array(received[..<searched])
                    received.removeFirst(searched + end.count)
                    return line
                }
                searched += 1
            }
            guard fill() else {
                throw Failure(description: "the connection ended in \(received.count) bytes: \(errno)")
            }
        }
    }

    private func read(_ count: Int) throws -> [UInt8] {
        while received.count < count {
            guard fill() else { throw Failure(description: "the connection ended before \(count) bytes: \(errno)") }
        }
        let bytes = Array(received[..<count])
        received.removeFirst(count)
        return bytes
    }

    private func readToEnd() -> [UInt8] {
        while fill() {}
        defer { received = [] }
        return received
    }

    private func fill() -> Bool {
        errno = 0
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = uninterrupted { recv(socket, &bytes, bytes.count, 0) }
        guard count > 0 else {
            isEnded = count == 0 || errno != EAGAIN
            return false
        }
        received += bytes[..<count]
        return true
    }
}
