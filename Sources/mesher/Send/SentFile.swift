internal import Glibc

/// A file that is sent as it is.
enum SentFile {
    /// More than any route takes, in bytes.
    private static let limit = 20 << 20

    /// The content of a file, or of standard input for `-`.
    ///
    /// - Throws: `CommandError` when it cannot be read, or is larger than any route takes.
    static func read(_ path: String) throws(CommandError) -> [UInt8] {
        let number = try open(path)
        defer { if path != "-" { close(number) } }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while content.count <= limit {
            let count = Glibc.read(number, &piece, piece.count)
            if count == 0 { return content }
            if count > 0 { content += piece[..<count] } else if errno != EINTR { throw failed(path) }
        }
        throw CommandError(.dataError, "\(path): larger than 20 MiB, which no route takes")
    }

    /// Opens a file, or standard input for `-`. The corresponding C function is `open`.
    ///
    /// - Throws: `CommandError`.
    static func open(_ path: String) throws(CommandError) -> CInt {
        let number = path == "-" ? STDIN_FILENO : Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw failed(path) }
        return number
    }

    private static func failed(_ path: String) -> CommandError {
        CommandError(.usage, "\(path): \(String(cString: strerror(errno)))")
    }
}
