internal import Glibc

/// What the watchdog tells systemd, as datagrams to the socket that `NOTIFY_SOCKET` names, sd_notify(3). Without one
/// nothing is sent.
struct SystemdNotification: ~Copyable {
    /// Of the socket that is sent from; below 0 for none. Not an optional `Descriptor`: compared with nil, swiftc 6.3.1
    /// destroyed it twice, and closed whatever had its number by then.
    private let number: CInt
    private var address = sockaddr_un()
    private let addressSize: socklen_t
    /// Nanoseconds between two keep-alives; nil when systemd expects none.
    let interval: Int64?
    private var lastStatus = ""

    /// - Parameters:
    ///   - path: of a socket; one that begins with `@` is abstract, unix(7).
    ///   - microseconds: `WATCHDOG_USEC`: systemd kills the service after so long a silence.
    init(path: String?, microseconds: String?) {
        let bytes = path.map { Array($0.utf8) } ?? []
        let offset = MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: address.sun_path)
        number =
            bytes.isEmpty || bytes.count >= MemoryLayout.size(ofValue: address.sun_path)
            ? -1 : Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { name in
            for (position, byte) in bytes.enumerated() where position < name.count { name[position] = byte }
            if bytes.first == UInt8(ascii: "@") { name[0] = 0 }
        }
        addressSize = socklen_t(offset + bytes.count)
        let time = microseconds.flatMap { Int64($0) } ?? 0
        interval = number >= 0 && time > 0 && time < 1 << 50 ? time * 1_000 / 2 : nil
    }

    deinit {
        if number >= 0 { close(number) }
    }

    /// What systemd has set in the environment of this process. A number of microseconds that was meant for another
    /// process does not count, sd_watchdog_enabled(3).
    static func inherited() -> SystemdNotification {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        let isMeant = variable("WATCHDOG_PID").map { pid_t($0) == getpid() } ?? true
        return SystemdNotification(
            path: variable("NOTIFY_SOCKET"), microseconds: isMeant ? variable("WATCHDOG_USEC") : nil)
    }

    /// The service works: after its start, and again after a reload.
    func ready() { send("READY=1") }

    /// Sends the keep-alive for systemd's own watchdog.
    func alive() {
        if interval != nil { send("WATCHDOG=1") }
    }

    func stopping() { send("STOPPING=1") }

    /// - Parameter begun: nanoseconds of the monotonic clock.
    func reloading(begun: Int64) { send("RELOADING=1\nMONOTONIC_USEC=\(begun / 1_000)") }

    /// One line for `systemctl status`, sent when it has changed.
    mutating func status(_ text: String) {
        guard text != lastStatus else { return }
        lastStatus = text
        send("STATUS=\(text)")
    }

    /// A full or vanished socket is no reason to wait or fail: the next keep-alive comes soon.
    private func send(_ text: String) {
        guard number >= 0 else { return }
        var text = text
        var address = address
        text.withUTF8 { bytes in
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(
                        number, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT), $0,
                        addressSize)
                }
            }
        }
    }
}
