import EventLoop
import Glibc

/// Where the watchdog waits to hear that this process does its work: the descriptor that `MESHER_READY_FD` names.
struct ReadinessDescriptor: ~Copyable {
    private let descriptor: Descriptor

    /// Nil when the variable is not set, or does not hold the number of an open descriptor.
    static func inherited() -> ReadinessDescriptor? {
        guard let text = getenv("MESHER_READY_FD"), let number = CInt(String(cString: text)),
            number > STDERR_FILENO, fcntl(number, F_GETFD) >= 0
        else { return nil }
        return ReadinessDescriptor(adopting: number)
    }

    init(adopting number: CInt) {
        descriptor = Descriptor(adopting: number)
    }

    /// Writes one newline and closes the descriptor.
    consuming func announce() {
        var newline = UInt8(ascii: "\n")
        _ = write(descriptor.number, &newline, 1)
    }
}
