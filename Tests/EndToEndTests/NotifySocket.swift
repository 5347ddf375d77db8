import Foundation

/// systemd's end of sd_notify(3): a socket, and all that was sent to it.
final class NotifySocket {
    struct Failure: Error {}

    let path: String
    private let number: Int32
    private var messages: [String] = []

    init(path: String) throws {
        self.path = path
        number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard Self.withAddress(path, { bind(number, $0, $1) }) == 0 else { throw Failure() }
    }

    deinit {
        close(number)
        unlink(path)
    }

    /// All messages since the beginning, or since `forget`.
    var received: [String] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(number, &bytes, bytes.count, CInt(MSG_DONTWAIT)), count > 0 {
            messages.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
        return messages
    }

    func forget() {
        _ = received
        messages = []
    }

    static func connect(_ socket: Int32, to path: String) -> Bool {
        withAddress(path) { Glibc.connect(socket, $0, $1) } == 0
    }

    static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix($0.count - 1))) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
