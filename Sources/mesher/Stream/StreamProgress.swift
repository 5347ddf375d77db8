/// Progress of the lines, shown on standard error while that is a terminal.
struct StreamProgress {
    var accepted = 0
    var refused = 0
    var isConnected = false
    private var terminal = TerminalProgress()

    /// Shows it, five times a second at most.
    mutating func show(underWay: Int) {
        let connection = isConnected ? "" : ", not connected"
        terminal.show("\(accepted) accepted, \(refused) refused, \(underWay) in flight\(connection)")
    }

    /// Writes a line of its own, in the place of what is shown.
    mutating func say(_ text: String) {
        terminal.say("mesher: \(text)")
    }

    func finish() {
        terminal.end(with: "\(accepted) accepted, \(refused) refused")
    }
}
