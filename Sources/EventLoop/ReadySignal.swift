internal import Glibc

/// How a supervised process says that it is ready: one line on the descriptor that `MESHER_READY_FD` names. It is said
/// when this value is lost.
package struct ReadySignal: ~Copyable {
    private static let variable = "MESHER_READY_FD"
    private let descriptor: Descriptor

    /// Whether a supervisor waits for it.
    package static var isSupervised: Bool { getenv(variable) != nil }

    /// Nil when nobody waits for it.
    package static func fromEnvironment() -> ReadySignal? {
        guard let value = getenv(variable), let number = CInt(String(cString: value)), number > 2 else { return nil }
        return ReadySignal(descriptor: Descriptor(adopting: number))
    }

    deinit {
        var line = UInt8(ascii: "\n")
        _ = write(descriptor.number, &line, 1)
    }
}
