internal import Configuration
internal import EventLoop
internal import Glibc
internal import StorageChannel

/// The running service: its sockets, and what storage says of itself.
struct ServiceCheck {
    /// How long storage's answer is waited for, in nanoseconds.
    private static let patience: Int64 = 3_000_000_000
    private static let ticket: UInt64 = 1

    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    /// A file of the run directory.
    static func path(_ name: String, _ settings: Settings) -> String {
        settings.text(.runDirectory) + "/" + name
    }

    func findings() -> [Finding] {
        let directory = settings.text(.runDirectory)
        guard access(directory, X_OK) == 0 else {
            let text = "\(directory): \(String(cString: strerror(errno)))"
            let advice =
                "start the service (systemctl start mesher), run this as root, or correct MESHER_RUN_DIR "
                + "(now from: \(settings.origin(.runDirectory)))"
            return [.fault("service", text, advice: advice)]
        }
        return ["events", "bulk"].map { socket($0, "workers listen") } + [storage()]
    }

    /// Whether somebody listens on a socket of the run directory.
    func socket(_ name: String, _ good: String) -> Finding {
        let path = Self.path("\(name).sock", settings)
        do throws(SystemError) {
            _ = try UnixSocket.connect(to: path)
            return .good("\(name).sock", good)
        } catch {
            return .fault("\(name).sock", error.description, advice: Self.advice(error))
        }
    }

    private func storage() -> Finding {
        let path = Self.path("storage.sock", settings)
        do throws(SystemError) {
            _ = try UnixSocket.connect(to: path)
        } catch {
            return .fault("storage.sock", error.description, advice: Self.advice(error))
        }
        switch probe(path) {
        case nil:
            let advice = "look into the service's log (journalctl -u mesher); the watchdog replaces what is stuck"
            return .fault("storage.sock", "storage does not answer", advice: advice)
        case false?:
            let advice = "see what is said of PostgreSQL; storage connects again by itself"
            return .fault("storage.sock", "storage cannot accept events durably", advice: advice)
        case true?: return .good("storage.sock", "storage accepts events")
        }
    }

    private static func advice(_ error: SystemError) -> String {
        switch error.code {
        case EACCES, EPERM: "run this as root or as the user of the service"
        default: "start the service (systemctl start mesher); see its log (journalctl -u mesher)"
        }
    }

    /// Whether storage accepts durably; nil when it does not answer.
    private func probe(_ path: String) -> Bool? {
        var client = StorageClient(path: path)
        let deadline = Clock.monotonic() + Self.patience
        guard client.tick(now: Clock.monotonic()) == nil else { return nil }
        var frames = FrameWriter()
        frames.probe(Self.ticket)
        guard client.send(&frames) else { return nil }
        var answer: Bool?
        while answer == nil, let socket = client.socket {
            let left = deadline - Clock.monotonic()
            var waiting = pollfd(
                fd: socket.number, events: Int16(socket.wantsWrite ? POLLIN | POLLOUT : POLLIN), revents: 0)
            guard left > 0, poll(&waiting, 1, CInt(left / 1_000_000 + 1)) > 0 else { return nil }
            let isReadable = waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0
            let isWritable = waiting.revents & Int16(POLLOUT) != 0
            let isAlive = client.ready(readable: isReadable, writable: isWritable) { kind, content in
                guard kind == .readiness else { return true }
                var content = FrameContent(content)
                let ticket = content.integer(UInt64.self)
                let accepts = content.integer(UInt8.self)
                if content.isIntact, ticket == Self.ticket { answer = accepts != 0 }
                return content.isIntact
            }
            if !isAlive { return answer }
        }
        return answer
    }
}
