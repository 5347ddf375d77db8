import Glibc

/// A TCP socket of 127.0.0.1 that blocks, ten seconds at most.
struct Socket: ~Copyable {
    private let number: CInt

    private init(_ number: CInt) {
        self.number = number
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var yes: CInt = 1
        setsockopt(number, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit {
        close(number)
    }

    static func listen() -> Socket {
        let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard withAddress(0, { bind(number, $0, $1) }) == 0, Glibc.listen(number, 64) == 0 else { fail("listen") }
        return Socket(number)
    }

    static func connect(_ port: UInt16) -> Socket {
        let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard withAddress(port, { Glibc.connect(number, $0, $1) }) == 0 else { fail("connect") }
        return Socket(number)
    }

    var port: UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    func accept() -> Socket {
        while true {
            let accepted = Glibc.accept(number, nil, nil)
            if accepted >= 0 { return Socket(accepted) }
            guard errno == EINTR || errno == EAGAIN else { Self.fail("accept") }
        }
    }

    /// What has come; empty at the end, or after ten seconds without anything.
    func read(into room: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer {
        let count = recv(number, room.baseAddress, room.count, 0)
        return UnsafeRawBufferPointer(rebasing: room[..<max(count, 0)])
    }

    /// How many bytes were written; less than there are only when the peer takes no more.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = send(number, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            guard count > 0 else { break }
            written += count
        }
        return written
    }

    /// Writes no more, and waits for the peer's end, so that what was written last is not lost to a reset.
    func finish(_ room: UnsafeMutableRawBufferPointer) {
        shutdown(number, CInt(SHUT_WR))
        while !read(into: room).isEmpty {}
    }

    private static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func fail(_ operation: String) -> Never {
        perror("websocket-echo: \(operation)")
        exit(71)
    }
}
