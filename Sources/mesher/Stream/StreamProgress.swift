internal import Glibc

/// Progress of the lines, shown on standard error while that is a terminal.
struct StreamProgress {
    private static let interval: Int64 = 200_000_000

    var accepted = 0
    var refused = 0
    var isConnected = false
    private let isShown = isatty(STDERR_FILENO) == 1
    private var shownAt: Int64 = 0

    /// Shows it, five times a second at most.
    mutating func show(underWay: Int, at now: Int64) {
        guard isShown, now - shownAt >= Self.interval else { return }
        shownAt = now
        let connection = isConnected ? "" : ", not connected"
        writeError("\r\u{1B}[K\(accepted) accepted, \(refused) refused, \(underWay) in flight\(connection)")
    }

    /// Writes a line of its own, in the place of what is shown.
    mutating func say(_ text: String) {
        writeError((isShown ? "\r\u{1B}[K" : "") + "mesher: " + text + "\n")
        shownAt = 0
    }

    func finish() {
        if isShown { writeError("\r\u{1B}[K\(accepted) accepted, \(refused) refused\n") }
    }
}
