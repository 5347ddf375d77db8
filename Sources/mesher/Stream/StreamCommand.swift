internal import ArgumentParser

/// `mesher stream`: the lines of standard input as events, over one WebSocket connection.
struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream", abstract: "Send events, one per line, over WebSocket.",
        discussion: """
            Reads standard input, one JSON object per line, and prints the server's answer to each. An event without an \
            event_id gets one. When the connection is lost, it reconnects and resends what was not acknowledged, \
            with the same id. Events that were rate limited are resent when the server allows.

            Exit status: 0 all were accepted, 65 one was refused (standard error has its line and the reason), 69 no \
            connection for too long, 77 the key is not known.
            """)

    @Argument(help: "The DSN that `project create` printed.") var dsn: String
    @Option(help: "Maximum number of events in flight.") var inFlight = 100
    @Option(help: "Seconds of trouble after which to give up.") var patience = 300
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
