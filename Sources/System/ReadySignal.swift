internal import Glibc

/// How a supervised process reports readiness: one line on the descriptor that `MESHER_READY_FD` names.
package struct ReadySignal: ~Copyable {
    private let descriptor: Descriptor

    /// - Parameter number: a descriptor that is written to once and closed when this value is lost.
    package init(adopting number: CInt) {
        descriptor = Descriptor(adopting: number)
    }

    /// Whether a supervisor waits for it.
    package static var isAwaited: Bool { getenv("MESHER_READY_FD") != nil }

    /// Whether the other end of the descriptor is still open. A dead supervisor has closed it. The parent's process ID
    /// would prove nothing: process 1 may be the supervisor or adopt orphans. The corresponding C function is `poll`.
    static var hasReader: Bool {
        guard let number = inheritedNumber else { return true }
        var query = pollfd(fd: number, events: 0, revents: 0)
        return poll(&query, 1, 0) <= 0 || query.revents & Int16(POLLERR | POLLHUP) == 0
    }

    /// Nil when no supervisor waits for it: the variable is not set, or does not hold the number of an open descriptor.
    package static func inherited() -> ReadySignal? {
        inheritedNumber.map { ReadySignal(adopting: $0) }
    }

    private static var inheritedNumber: CInt? {
        guard let text = getenv("MESHER_READY_FD"), let number = CInt(String(cString: text)),
            number > STDERR_FILENO, fcntl(number, F_GETFD) >= 0
        else { return nil }
        return number
    }

    /// Says it, and closes the descriptor.
    package consuming func announce() {
        var newline = UInt8(ascii: "\n")
        _ = write(descriptor.number, &newline, 1)
    }
}
