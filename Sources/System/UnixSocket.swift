internal import CSystem
internal import Glibc

/// Stream sockets in the file system, unix(7).
package enum UnixSocket {
    /// The longest path that the kernel accepts, in bytes.
    package static let pathLimit = 107

    /// Binds and listens at a path, with the given permissions from the first moment; an existing file is replaced. The
    /// descriptor does not block. The corresponding C functions are `socket`, `bind` and `listen`.
    package static func listen(at path: String, mode: UInt32, backlog: CInt) throws(SystemError) -> Descriptor {
        let descriptor = try open(path)
        unlink(path)
        let mask = umask(~mode & 0o777)
        let bound = withAddress(path) { bind(descriptor.number, $0, $1) }
        let code = errno
        umask(mask)
        guard bound == 0 else { throw SystemError("bind", path, code: code) }
        guard Glibc.listen(descriptor.number, backlog) == 0 else { throw SystemError("listen", path) }
        return descriptor
    }

    /// Connects to a path. The descriptor does not block. The corresponding C function is `connect`.
    package static func connect(to path: String) throws(SystemError) -> Descriptor {
        let descriptor = try open(path)
        guard withAddress(path, { Glibc.connect(descriptor.number, $0, $1) }) == 0 else {
            throw SystemError("connect", path)
        }
        return descriptor
    }

    /// Accepts the next connection; nil when none waits. It blocks on read and write, and is not inherited. The
    /// corresponding C function is `accept4`.
    package static func accept(_ listener: CInt) -> Descriptor? {
        let number = mesher_accept(listener)
        return number >= 0 ? Descriptor(adopting: number) : nil
    }

    private static func open(_ path: String) throws(SystemError) -> Descriptor {
        guard path.utf8.count <= pathLimit else { throw SystemError("bind", path, code: ENAMETOOLONG) }
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = socket(AF_UNIX, type, 0)
        guard number >= 0 else { throw SystemError("socket", path) }
        return Descriptor(adopting: number)
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(pathLimit)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
