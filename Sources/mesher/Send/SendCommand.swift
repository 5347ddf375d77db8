internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import System

/// `mesher send`: a test event or a file, by the way that clients go.
struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a test event, or the contents of a file, as a client would.",
        discussion: """
            Prints the status and id of each event. A file is sent as it is: to reproduce what a sender reports, \
            name the route it was sent to with --route. With --lines each line is an event that is sent by itself, again if \
            it is rate limited or nothing can be stored for now; a line that is refused is named. Exit status: 0 all were \
            accepted, 65 one was refused, 69 no answer, 75 rate limited or unavailable for now, 77 the key is not known.
            """)

    @Argument(help: "The DSN that `project create` printed.") var dsn: String
    @Option(help: "The event's message.") var message = "A test event from mesher send"
    @Option(help: "The event's level.") var level = EventsCommand.Level.info
    @Option(help: "Number of events, one after the other.") var count = 1
    @Option(help: "A file to send instead, - for standard input.", completion: .file()) var file: String?
    @Option(help: "Route to send the file to.") var route = Route.events
    @Flag(help: "Send each line of the file by itself, such as those of mesher events export.") var lines = false
    @OptionGroup var authorities: AuthorityOptions
    @OptionGroup var output: OutputOptions

    /// The routes that take events.
    enum Route: String, ExpressibleByArgument, CaseIterable {
        case events, bulk, store, envelope, security
    }

    func validate() throws {
        guard (1...1_000_000).contains(count) else { throw ValidationError("--count must be from 1 to 1000000") }
        guard !message.isEmpty else { throw ValidationError("--message must not be empty") }
        guard !lines || (file != nil && count == 1) else {
            throw ValidationError("--lines needs --file, and no --count")
        }
    }

    func run() throws {
        guard let dsn = DSN(dsn) else { throw CommandError(.usage, "a DSN is http://KEY@HOST[:PORT]/ID") }
        // The client that an event says nothing of would become that of somebody else's event.
        let name = lines ? "" : ", sentry_client=mesher/\(Release.version)"
        let client = try HTTPClient.open(
            file == nil ? dsn.eventsURL : dsn.url(of: route),
            headers: [
                "Content-Type: application/json",
                "X-Sentry-Auth: Sentry sentry_key=\(dsn.key), sentry_version=7\(name)",
            ], authorities: authorities.path)
        if lines, let file { return try sendLines(of: file, client) }
        let event = try file.map(SentFile.read) ?? testEvent
        for _ in 0..<count { try report(client.post(event)) }
    }

    /// Sends each line until it has an answer that is none for now.
    private func sendLines(of path: String, _ client: borrowing HTTPClient) throws {
        let descriptor = try SentFile.open(path)
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var reader = LineReader(descriptor)
        var refused = 0
        while !reader.isAtEnd {
            try reader.fill()
            while let line = reader.next() {
                var answer = try client.post(Array(line))
                while answer.status == 429 || answer.status == 503 {
                    Clock.sleep(nanoseconds: Int64(min(max(answer.retryAfter, 1), 3_600)) * 1_000_000_000)
                    answer = try client.post(Array(line))
                }
                do throws(CommandError) {
                    try report(answer)
                } catch {
                    guard error.status == .dataError else { throw error }
                    writeError("mesher: line \(reader.number): \(error)\n")
                    refused += 1
                }
            }
        }
        if refused > 0 {
            throw CommandError(.dataError, refused == 1 ? "1 line was refused" : "\(refused) lines were refused")
        }
    }

    private var testEvent: [UInt8] {
        let event = JSON.object([
            "message": .string(message), "level": .string(level.rawValue), "platform": .string("other"),
            "logger": .string("mesher"), "sdk_name": .string("mesher"), "sdk_version": .string(Release.version),
        ])
        return Array(event.description.utf8)
    }

    /// Prints an answer; a refusal ends the command.
    private func report(_ answer: HTTPClient.Answer) throws(CommandError) {
        let said = ServerAnswer(answer.body)
        let id = said?.id
        // Sentry's routes answer with 200.
        let isTaken = answer.status == 202 || answer.status == 200
        if output.isJSON {
            print(JSON.object(["status": .integer(Int64(answer.status)), "id": .optional(id)]))
        } else if isTaken {
            print(
                "\(answer.status) "
                    + (id.map { "accepted \(TextTable.printable($0))" } ?? TextTable.printable(answer.body)))
        }
        if isTaken { return }
        let reason = (said?.error ?? said?.detail).map { " \(TextTable.printable($0))" } ?? ""
        let hint = answer.retryAfter > 0 ? ", retry in \(answer.retryAfter) s" : ""
        throw CommandError(Self.exitStatus(answer.status), "\(answer.status)\(reason)\(hint)")
    }

    /// The exit status for an answer of this HTTP status.
    static func exitStatus(_ status: Int) -> ExitStatus {
        switch status {
        case 401, 403: .notPermitted
        case 429, 503: .temporaryFailure
        case 400, 413, 415: .dataError
        default: .unavailable
        }
    }
}
