internal import ArgumentParser
internal import Configuration

/// `mesher send`: a test event, by the way that clients go.
struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a test event, as a client would.",
        discussion: """
            Prints the status and the id of each event. Exit status: 0 all were accepted, 65 one was refused, 69 no answer, \
            75 rate limited or unavailable for now, 77 the key is not known.
            """)

    @Argument(help: "The DSN that `project create` printed.") var dsn: String
    @Option(help: "The event's message.") var message = "A test event from mesher send"
    @Option(help: "The event's level.") var level = EventsCommand.Level.info
    @Option(help: "How many, one after the other.") var count = 1
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(count) else { throw ValidationError("--count must be from 1 to 1000000") }
        guard !message.isEmpty else { throw ValidationError("--message must not be empty") }
    }

    func run() throws {
        guard let dsn = DSN(dsn) else { throw CommandError(.usage, "a DSN is http://KEY@HOST[:PORT]/ID") }
        let event = JSON.object([
            "message": .string(message), "level": .string(level.rawValue), "platform": .string("other"),
            "logger": .string("mesher"), "sdk_name": .string("mesher"), "sdk_version": .string(Release.version),
        ])
        let client = try HTTPClient.open(
            dsn.eventsURL,
            headers: [
                "Content-Type: application/json",
                "X-Sentry-Auth: Sentry sentry_key=\(dsn.key), sentry_version=7, sentry_client=mesher/\(Release.version)",
            ])
        for _ in 0..<count { try report(client.post(event.description)) }
    }

    /// Prints an answer; one that is no acceptance ends the command.
    private func report(_ answer: HTTPClient.Answer) throws(CommandError) {
        let id = Self.member("id", of: answer.body)
        if output.isJSON {
            print(JSON.object(["status": .integer(Int64(answer.status)), "id": .optional(id)]))
        } else if let id, answer.status == 202 {
            print("202 accepted \(TextTable.printable(id))")
        }
        if answer.status == 202 { return }
        let reason = Self.member("error", of: answer.body).map { " \(TextTable.printable($0))" } ?? ""
        let hint = answer.retryAfter > 0 ? ", try again in \(answer.retryAfter) s" : ""
        throw CommandError(Self.exitStatus(answer.status), "\(answer.status)\(reason)\(hint)")
    }

    /// With what the command ends after an answer of this HTTP status.
    static func exitStatus(_ status: Int) -> ExitStatus {
        switch status {
        case 401: .notPermitted
        case 429, 503: .temporaryFailure
        case 400, 413, 415: .dataError
        default: .unavailable
        }
    }

    /// The value of a member that is a string without escapes, which the contract's answers to one event are.
    static func member(_ name: String, of body: String) -> String? {
        let start = Array("\"\(name)\":\"".utf8)
        let bytes = Array(body.utf8)
        guard bytes.count > start.count else { return nil }
        for offset in 0..<bytes.count - start.count where bytes[offset...].starts(with: start) {
            let value = bytes[(offset + start.count)...].prefix { $0 != UInt8(ascii: "\"") }
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }
}
