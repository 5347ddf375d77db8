internal import Glibc
internal import System

/// One line on standard error that says how far a command is, while that is a terminal.
struct TerminalProgress {
    private static let interval: Int64 = 200_000_000

    private let isShown = isatty(STDERR_FILENO) == 1
    private var shownAt: Int64 = 0

    /// Shows it, five times a second at most.
    mutating func show(_ text: @autoclosure () -> String) {
        guard isShown, Clock.monotonic() - shownAt >= Self.interval else { return }
        shownAt = Clock.monotonic()
        writeError("\r\u{1B}[K\(text())")
    }

    /// Writes a line of its own, in the place of what is shown, also when nothing is.
    mutating func say(_ line: String) {
        end()
        writeError(line + "\n")
        shownAt = 0
    }

    /// Leaves a last line, if progress was shown.
    func end(with line: String) {
        if isShown { writeError("\r\u{1B}[K\(line)\n") }
    }

    /// Removes it.
    func end() {
        if isShown { writeError("\r\u{1B}[K") }
    }
}
