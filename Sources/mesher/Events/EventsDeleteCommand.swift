internal import ArgumentParser
internal import PostgreSQL
internal import Schema

/// `mesher events delete`: a user's events, one event, or all from before a time.
struct EventsDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete events of a project: a user's, one, or those from before a time.",
        discussion: """
            Shows how many there are on which days, and asks. It deletes in small steps with pauses, so that intake hardly \
            notices; when it is interrupted, run it again. Days that are held (mesher db hold) are not left out. It also removes \
            what this host's quarantine has of them. Events in the spool are not in PostgreSQL yet: it says how many match, \
            deletes all others, and exits with 75; run it again when they are delivered, and once for each other host that has \
            events in its spool or quarantine (mesher status --hosts). Events that are received while it runs may stay.

            --user is the id in the column user_id. --email is looked for in user.email, user_context.email, \
            sentry.interfaces.User.email, contexts.feedback.contact_email and in user reports, in upper or lower case.
            """)

    @Argument(help: "Slug or id of the project.") var project: String
    @Option(help: "Events of the user with this id.") var user: String?
    @Option(help: "Events of the user with this e-mail address.") var email: String?
    @Option(help: "The event with this id, 32 hex digits or a UUID.") var event: String?
    @Option(help: ArgumentHelp("Events received before, \(EventMoment.help).", valueName: "time"))
    var before: EventMoment?
    @Flag(help: "Only show how many there are, and on which days.") var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    func validate() throws {
        let named = [user, email, event].compactMap { $0 }
        guard named.count <= 1 else { throw ValidationError("give one of --user, --email and --event") }
        guard !named.isEmpty || before != nil else {
            throw ValidationError("say which: --user, --email, --event or --before")
        }
        guard event == nil || before == nil else { throw ValidationError("--event needs no --before") }
        guard named.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(0) }) else {
            throw ValidationError("an empty value would be no user's")
        }
        guard (user?.unicodeScalars.count ?? 0) < EventSelection.longestUserID else {
            throw ValidationError("--user: the column has the first \(EventSelection.longestUserID) characters alone")
        }
    }

    func run() throws {
        let settings = try options.settings()
        let connection = try options.openMigratedDatabase()
        let project = try Project.find(project, on: connection)
        let selection = EventSelection(
            project: project.id, try subject(), before: try before?.microseconds(on: connection))
        let deletion = EventDeletion(selection)
        var waiting = try WaitingEvents(selection, settings, on: connection)
        if dryRun || !confirmation.isGiven {
            let days = try Self.showing("found") { try deletion.count(on: connection, progress: $0) }
            let report = DeletionReport(days: days, quarantined: waiting.quarantined.count, waiting, isDone: false)
            if dryRun { return report.show(isJSON: output.isJSON) }
            report.show(isJSON: false)
            guard report.events > 0 || waiting.quarantined.count > 0 else { return try requireAll(waiting) }
            try confirmation.ask("Delete these events of project \(project.slug) for good?")
            // An event may have moved from the spool to PostgreSQL meanwhile, or the other way round.
            waiting = try WaitingEvents(selection, settings, on: connection)
        }
        let name = "\(selection.summary) of project \(project.id) (\(project.slug))"
        OperatorLog.note("deletes \(name)")
        let days = try Self.showing("deleted") { try deletion.delete(on: connection, progress: $0) }
        let report = DeletionReport(days: days, quarantined: try waiting.removeQuarantined(), waiting, isDone: true)
        OperatorLog.note("has deleted \(name): \(report.events), and \(report.quarantined) in the quarantine")
        report.show(isJSON: output.isJSON)
        try requireAll(waiting)
    }

    private func subject() throws -> EventSelection.Subject {
        if let user { return .user(user) }
        if let email { return .email(email) }
        guard let event else { return .all }
        guard let id = APIKey.normalized(event.filter { $0 != "-" }) else {
            throw CommandError(.dataError, "an event's id is 32 hex digits or a UUID")
        }
        return .event(id)
    }

    /// Shows how far it is, while it is at work.
    private static func showing(
        _ verb: String, _ work: ((EventDeletion.Progress) -> Void) throws -> [EventDeletion.Day]
    ) rethrows -> [EventDeletion.Day] {
        var line = TerminalProgress()
        defer { line.end() }
        return try work { progress in
            line.show("\(progress.day): \(progress.events) \(verb), \(progress.examined) examined")
        }
    }

    private func requireAll(_ waiting: WaitingEvents) throws(CommandError) {
        guard waiting.spooled > 0 else { return }
        throw CommandError(
            .temporaryFailure,
            "not all: this host's spool has \(waiting.spooled) of these events, which will be stored when it is delivered. "
                + "Run it again when mesher spool status shows 0 segments (with the service stopped: after mesher spool drain)"
        )
    }
}

/// What `events delete` shows: before it asks, and when it is done.
struct DeletionReport {
    let days: [EventDeletion.Day]
    let quarantined: Int
    let spooled: Int
    let unreadable: Int
    let isDone: Bool

    init(days: [EventDeletion.Day], quarantined: Int, _ waiting: WaitingEvents, isDone: Bool) {
        self.days = days
        self.quarantined = quarantined
        spooled = waiting.spooled
        unreadable = waiting.unreadable
        self.isDone = isDone
    }

    var events: Int { days.reduce(0) { $0 + $1.events } }

    func show(isJSON: Bool) {
        print(isJSON ? json.description : text)
    }

    private var json: JSON {
        .object([
            "events": .integer(Int64(events)), "quarantine": .integer(Int64(quarantined)),
            "spool": .integer(Int64(spooled)), "unreadable": .integer(Int64(unreadable)), "deleted": .boolean(isDone),
            "days": .array(
                days.map { day in
                    .object([
                        "day": .string(day.date), "events": .integer(Int64(day.events)), "held": .boolean(day.isHeld),
                    ])
                }),
        ])
    }

    private var text: String {
        var lines: [String] = []
        if !days.isEmpty {
            var table = TextTable(["DAY": .left, "EVENTS": .right, "": .left])
            for day in days { table.append([day.date, String(day.events), day.isHeld ? "held" : ""]) }
            lines.append("\(table)\n")
        }
        lines.append("\(events) events\(isDone ? " deleted" : ""), \(quarantined) in this host's quarantine")
        if spooled > 0 { lines.append("\(spooled) in this host's spool, not deleted") }
        if unreadable > 0 {
            lines.append(
                "\(unreadable) parts of this host's spool and quarantine cannot be searched: "
                    + "see mesher spool verify and mesher quarantine list")
        }
        return lines.joined(separator: "\n")
    }
}

extension EventDeletion.Day {
    /// `YYYY-MM-DD`.
    fileprivate var date: String {
        "\(day.prefix(4))-\(day.dropFirst(4).prefix(2))-\(day.dropFirst(6))"
    }
}
