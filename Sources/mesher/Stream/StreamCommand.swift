internal import ArgumentParser

/// `mesher stream`: the lines of standard input as events, over one WebSocket connection.
struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream", abstract: "Send events, one a line, over WebSocket.",
        discussion: """
            Reads standard input, a JSON object a line, and prints the server's answer to each. An event without an \
            event_id gets one. When the connection is lost it is opened again, and what was not acknowledged is sent \
            again, with the same id; so is what was rate limited, when the server allows.

            Exit status: 0 all were accepted, 65 one was refused (its line and why are on standard error), 69 no \
            connection for too long, 77 the key is not known.
            """)

    @Argument(help: "The DSN that `project create` printed.") var dsn: String
    @Option(help: "The most events that are read and not acknowledged.") var inFlight = 100
    @Option(help: "Seconds of trouble after which it gives up.") var patience = 300
    @OptionGroup var authorities: AuthorityOptions

    func validate() throws {
        guard (1...10_000).contains(inFlight) else { throw ValidationError("--in-flight must be from 1 to 10000") }
        guard (1...86_400).contains(patience) else { throw ValidationError("--patience must be from 1 to 86400") }
    }

    func run() throws {
        guard let dsn = DSN(dsn) else { throw CommandError(.usage, "a DSN is http://KEY@HOST[:PORT]/ID") }
        var client = StreamClient(dsn, inFlight: inFlight, patience: patience, authorities: authorities.path)
        let refused = try client.run()
        if refused > 0 {
            throw CommandError(.dataError, refused == 1 ? "1 event was refused" : "\(refused) events were refused")
        }
    }
}
