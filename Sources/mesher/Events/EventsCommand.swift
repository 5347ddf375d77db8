internal import ArgumentParser
internal import PostgreSQL

/// `mesher events`: what came.
struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "List, show, follow, export and delete events.",
        subcommands: [
            List.self, EventsShowCommand.self, EventsTailCommand.self, EventsExportCommand.self,
            EventsDeleteCommand.self,
        ])

    /// What `level` of an event can be.
    enum Level: String, ExpressibleByArgument, CaseIterable {
        case fatal, error, warning, info, debug
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the latest events of a project, newest first.")

        @Argument(help: "Slug or id of the project.") var project: String
        @Option(help: "Maximum number of events to list.") var limit = 20
        @Option(help: "Only events of this level.") var level: Level?
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func validate() throws {
            guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 10000") }
        }

        func run() throws {
            let connection = try options.openMigratedDatabase()
            let project = try Project.find(project, on: connection)
            let events = try StoredEvent.latest(limit, of: project.id, level: level?.rawValue, on: connection)
            if output.isJSON { return print(JSON.array(events.map(\.json))) }
            var table = TextTable(["RECEIVED": .left, "LEVEL": .left, "EVENT": .left, "MESSAGE": .left])
            for event in events { table.append([event.received, event.level, event.id, event.summary]) }
            print(table)
        }
    }
}

extension StoredEvent {
    /// The beginning of the message.
    var summary: String {
        let limit = 100
        return message.count > limit ? message.prefix(limit - 1) + "…" : message
    }

    /// One line of a running list.
    var line: String {
        let padding = String(repeating: " ", count: max(0, "warning".count - level.count))
        return TextTable.printable("\(received)  \(level)\(padding)  \(id)  \(summary)")
    }
}
