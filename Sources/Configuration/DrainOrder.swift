internal import Glibc
package import System

/// The operator's order to take this host out of service: the file `drain` in the state directory. It holds until it is
/// taken back, whatever dies or is restarted meanwhile, the machine included.
package struct DrainOrder: Equatable, Sendable {
    /// When it was given, in microseconds since 1970; nil when the file does not say.
    package let at: Int64?
    /// The user who gave it; empty when the file does not say.
    package let user: String

    package init(at: Int64?, by user: String) {
        self.at = at
        self.user = user
    }

    /// Any text is an order: half a file must not let a drained host accept events.
    init(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        at = words.first.flatMap { Int64($0) }
        user = words.count > 1 ? String(words[1]) : ""
    }

    package static func path(in stateDirectory: String) -> String {
        stateDirectory + "/drain"
    }

    /// The order that holds; nil when there is none.
    ///
    /// - Throws: `SystemError` when that cannot be told.
    package static func read(in stateDirectory: String) throws(SystemError) -> DrainOrder? {
        let path = path(in: stateDirectory)
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemError("open", path)
        }
        let file = Descriptor(adopting: number)
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(file.number, &bytes, bytes.count)
        return DrainOrder(String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self))
    }

    /// Gives the order, and returns when it would survive a power failure.
    package func give(in stateDirectory: String) throws(SystemError) {
        let path = Self.path(in: stateDirectory)
        let file = try ReplacedFile(path, mode: 0o644)
        try file.append(Array("\(at ?? 0) \(user)\n".utf8))
        try file.synchronize()
        try file.complete()
        try ReplacedFile.synchronizeFolder(of: path)
    }

    /// Takes the order back, if there is one.
    package static func takeBack(in stateDirectory: String) throws(SystemError) {
        let path = path(in: stateDirectory)
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("unlink", path) }
        try ReplacedFile.synchronizeFolder(of: path)
    }
}
