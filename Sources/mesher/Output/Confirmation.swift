internal import ArgumentParser

/// What a command takes that does something which cannot be undone.
struct Confirmation: ParsableArguments {
    @Flag(name: .customLong("yes"), help: "Don't ask.")
    var isGiven = false

    /// Asks, unless it is given; only the answer yes goes on.
    ///
    /// - Throws: `CommandError` when there is no terminal to ask at, or the answer is no.
    func ask(_ question: String) throws(CommandError) {
        if isGiven { return }
        guard Terminal.isThere else {
            throw CommandError(.usage, "standard input is no terminal, so nothing was asked or done: give --yes")
        }
        writeError("\(question) [y/N] ")
        guard Self.isYes(readLine()) else { throw CommandError(.usage, "nothing was done") }
    }

    static func isYes(_ answer: String?) -> Bool {
        ["y", "yes"].contains(answer?.lowercased().filter { !$0.isWhitespace })
    }
}
