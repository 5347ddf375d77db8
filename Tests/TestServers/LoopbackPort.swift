internal import Glibc

/// TCP ports of 127.0.0.1, below those that the kernel gives to clients.
package enum LoopbackPort {
    /// One on which nobody listens.
    package static func free() -> Int {
        while true {
            let port = Int.random(in: 31_000...32_700)
            if use(port, by: bind) { return port }
        }
    }

    /// Whether somebody accepts connections.
    package static func isServed(_ port: Int) -> Bool { use(port, by: connect) }

    private static func use(_ port: Int, by call: (CInt, UnsafePointer<sockaddr>?, socklen_t) -> CInt) -> Bool {
        let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        defer { close(number) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
