internal import Glibc
internal import System

/// The listening sockets: nginx's, and perhaps one open to the internet.
struct ListeningPair: ~Copyable {
    let proxied: Descriptor
    let direct: Descriptor?

    /// Adopts those that the supervisor passed. They do not block, and descriptor 0 is `/dev/null` afterwards, so that the
    /// sessions inherit nothing by it.
    ///
    /// - Throws: `SystemError` when descriptor 0 is no socket.
    static func inherited() throws(SystemError) -> ListeningPair {
        var isListening: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening == 1 else {
            throw SystemError("getsockopt", "descriptor 0", code: ENOTSOCK)
        }
        let number = dup(STDIN_FILENO)
        guard number >= 0 else { throw SystemError("dup") }
        let proxied = Descriptor(adopting: number)
        let nothing = open("/dev/null", O_RDWR)
        guard nothing >= 0 else { throw SystemError("open", "/dev/null") }
        dup2(nothing, STDIN_FILENO)
        close(nothing)
        try proxied.setBlocking(false)
        let pair = ListeningPair(proxied: proxied, direct: second())
        if let number = pair.directNumber, fcntl(number, F_SETFD, FD_CLOEXEC) != 0 { throw SystemError("fcntl") }
        return pair
    }

    var directNumber: CInt? {
        switch direct {
        case .some(let direct): direct.number
        case nil: nil
        }
    }

    private static func second() -> Descriptor? {
        guard let text = getenv("MESHER_LISTENER_FD"), let number = CInt(String(cString: text)),
            number > STDERR_FILENO, fcntl(number, F_GETFD) >= 0
        else { return nil }
        return Descriptor(adopting: number)
    }
}
