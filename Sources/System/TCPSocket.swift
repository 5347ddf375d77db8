internal import CSystem
internal import Glibc

/// Stream sockets of the internet, tcp(7).
package enum TCPSocket {
    /// Binds and listens at an address, `127.0.0.1:8081` or `[::1]:8081`. The descriptor does not block. The corresponding C
    /// functions are `socket`, `bind` and `listen`.
    package static func listen(at address: String, backlog: CInt) throws(SystemError) -> Descriptor {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw SystemError("bind", address, code: EINVAL)
        }
        let host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            guard inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &name.sin6_addr) == 1 else {
                throw SystemError("bind", address, code: EINVAL)
            }
            return try listen(at: name, AF_INET6, address, backlog)
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        guard inet_pton(AF_INET, String(host), &name.sin_addr) == 1 else {
            throw SystemError("bind", address, code: EINVAL)
        }
        return try listen(at: name, AF_INET, address, backlog)
    }

    /// Where the other end of a connection is, without the port; nil for anything but a connection of the internet. The
    /// corresponding C functions are `getpeername` and `inet_ntop`.
    package static func peer(of number: CInt) -> String? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(number, $0, &size) == 0 }
        }
        guard isKnown else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = CInt(storage.ss_family)
        let found = withUnsafeBytes(of: &storage) { bytes -> Bool in
            switch family {
            case AF_INET:
                var address = bytes.load(as: sockaddr_in.self).sin_addr
                return inet_ntop(AF_INET, &address, &text, socklen_t(text.count)) != nil
            case AF_INET6:
                var address = bytes.load(as: sockaddr_in6.self).sin6_addr
                return inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil
            default: return false
            }
        }
        return found ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    /// A number for the network that the other end of a connection is in: its address, or of IPv6 the 64 bits before those
    /// that a client chooses itself. Nil for anything but a connection of the internet.
    package static func network(of number: CInt) -> UInt64? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(number, $0, &size) == 0 }
        }
        guard isKnown else { return nil }
        let family = CInt(storage.ss_family)
        return withUnsafeBytes(of: &storage) { bytes in
            switch family {
            case AF_INET: return UInt64(bytes.load(as: sockaddr_in.self).sin_addr.s_addr)
            case AF_INET6:
                return withUnsafeBytes(of: bytes.load(as: sockaddr_in6.self).sin6_addr) { address in
                    let high = address.load(as: UInt64.self)
                    // ::ffff:192.0.2.1
                    return high == 0 ? UInt64(address.load(fromByteOffset: 12, as: UInt32.self)) : high
                }
            default: return nil
            }
        }
    }

    private static func listen<Name>(
        at name: Name, _ family: CInt, _ address: String, _ backlog: CInt
    ) throws(SystemError) -> Descriptor {
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = socket(family, type, 0)
        guard number >= 0 else { throw SystemError("socket", address) }
        let descriptor = Descriptor(adopting: number)
        // Connections of the last run that linger must not keep this one from starting.
        var isOn: CInt = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<CInt>.size))
        var name = name
        let bound = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<Name>.size))
            }
        }
        guard bound == 0 else { throw SystemError("bind", address) }
        guard Glibc.listen(number, backlog) == 0 else { throw SystemError("listen", address) }
        return descriptor
    }
}
