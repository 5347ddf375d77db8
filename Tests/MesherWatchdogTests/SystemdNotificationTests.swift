import Glibc
import Testing

@testable import mesher_watchdog

struct SystemdNotificationTests {
    /// A socket as systemd has one, and what came to it.
    private final class Manager {
        let path: String
        private let number: CInt

        init(isAbstract: Bool) {
            let name = "mesher-notify.\(UInt32.random(in: 0 ... .max))"
            path = isAbstract ? "@" + name : "/tmp/" + name
            // What runs the tests may have closed standard input; a program that another test starts would be given this.
            while fcntl(STDIN_FILENO, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
            number = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            withUnsafeMutableBytes(of: &address.sun_path) {
                for (position, byte) in bytes.enumerated() { $0[position] = byte }
                if isAbstract { $0[0] = 0 }
            }
            let size = socklen_t(2 + bytes.count)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, size) }
            }
            #expect(result == 0, "bind \(number): \(errno)")
        }

        deinit {
            close(number)
            unlink(path)
        }

        func received() -> [String] {
            var messages: [String] = []
            var bytes = [UInt8](repeating: 0, count: 1024)
            while case let count = recv(number, &bytes, bytes.count, CInt(MSG_DONTWAIT)), count > 0 {
                messages.append(String(decoding: bytes[..<count], as: UTF8.self))
            }
            return messages
        }
    }

    @Test("Each message is one datagram in the words of sd_notify(3)", arguments: [false, true])
    func messages(isAbstract: Bool) {
        let manager = Manager(isAbstract: isAbstract)
        var notification = SystemdNotification(path: manager.path, microseconds: "4000000")
        notification.ready()
        notification.alive()
        notification.reloading(begun: 5_000_999)
        notification.stopping()
        notification.status("all is well")
        notification.status("all is well")
        #expect(
            manager.received() == [
                "READY=1", "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=5000", "STOPPING=1", "STATUS=all is well",
            ])
    }

    @Test("A sign of life is due twice in the time that systemd gives")
    func interval() {
        let manager = Manager(isAbstract: true)
        #expect(SystemdNotification(path: manager.path, microseconds: "4000000").interval == 2_000_000_000)
        for text in [nil, "", "x", "0", "-1", "9999999999999999999"] {
            #expect(SystemdNotification(path: manager.path, microseconds: text).interval == nil)
        }
    }

    @Test(
        "Without a socket nothing is sent, and one that nobody reads does no harm",
        arguments: [
            (nil, nil), ("", nil), ("@" + String(repeating: "x", count: 200), nil),
            ("/nonexistent/notify", 2_000_000_000),
        ] as [(String?, Int64?)])
    func nobodyListens(path: String?, interval: Int64?) {
        var notification = SystemdNotification(path: path, microseconds: "4000000")
        notification.ready()
        notification.alive()
        notification.status("all is well")
        #expect(notification.interval == interval)
    }
}
