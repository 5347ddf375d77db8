internal import Glibc

/// How a supervised process says that it does its work: one line on the descriptor that `MESHER_READY_FD` names.
package struct ReadySignal: ~Copyable {
    private let descriptor: Descriptor

    /// - Parameter number: a descriptor that is written to once and closed when this value is lost.
    package init(adopting number: CInt) {
        descriptor = Descriptor(adopting: number)
    }

    /// Whether a supervisor waits for it.
    package static var isAwaited: Bool { getenv("MESHER_READY_FD") != nil }

    /// Nil when no supervisor waits for it: the variable is not set, or does not hold the number of an open descriptor.
    package static func inherited() -> ReadySignal? {
        guard let text = getenv("MESHER_READY_FD"), let number = CInt(String(cString: text)),
            number > STDERR_FILENO, fcntl(number, F_GETFD) >= 0
        else { return nil }
        return ReadySignal(adopting: number)
    }

    /// Says it, and closes the descriptor.
    package consuming func announce() {
        var newline = UInt8(ascii: "\n")
        _ = write(descriptor.number, &newline, 1)
    }
}
