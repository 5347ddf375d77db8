internal import ArgumentParser
internal import Configuration
internal import PostgreSQL

/// `mesher project show`: all about a project, with what it has stored.
struct ProjectShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract:
            "Show a project, its stored events and, for each valid key, its DSN and the address for security reports.",
        discussion: """
            Up to \(ProjectVolume.countLimit) events of a day are counted; a larger number is PostgreSQL's estimate. The size is \
            estimated from the latest events.
            """)

    @Argument(help: "Slug or id.") var project: String
    @Option(help: "Of how many days, the current one in UTC among them, to show the events.") var days = 7
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    private static let dayLimit = 400

    func validate() throws {
        guard (0...Self.dayLimit).contains(days) else {
            throw ValidationError("--days must be from 0 to \(Self.dayLimit)")
        }
    }

    func run() throws {
        let publicURL = try options.settings().text(.publicURL)
        let connection = try options.openMigratedDatabase()
        let project = try Project.find(project, on: connection)
        let dsns = try ProjectKey.all(of: project.id, on: connection).filter(\.isInForce)
            .map { try DSN(publicURL: publicURL, key: $0.key, project: project.id) }
        let volume = try ProjectVolume(of: project.id, on: connection)
        let wanted = try connection.query(
            """
            SELECT to_char((now() AT TIME ZONE 'UTC')::date - age, 'YYYYMMDD')
            FROM generate_series(0, $1::int - 1) AS age ORDER BY age
            """, [String(days)])
        let shown = volume.days((0..<wanted.count).compactMap { wanted[row: $0, column: 0] })
        guard !output.isJSON else {
            return print(
                JSON.object([
                    "project": project.json, "dsns": .array(dsns.map { .string("\($0)") }),
                    "report_uris": .array(dsns.map { .string($0.securityURL) }),
                    "stored": volume.json,
                    "days": .array(shown.map(\.json)),
                ]))
        }
        print(
            """
            project       \(project.slug) (id \(project.id))
            organization  \(project.organization)
            rate limit    \(project.rateLimitEvents.map { "\($0) events" } ?? "default")
            window        \(project.rateLimitSeconds.map { "\($0) s" } ?? "default")
            retention     \(project.retentionDays.map { "\($0) days" } ?? "default")
            origins       \(project.origins)
            scrub         \(project.scrubbing)
            created       \(project.createdAt)
            stored        \(volume.summary)
            """)
        for dsn in dsns { print("DSN           \(dsn)\nreport-uri    \(dsn.securityURL)") }
        guard !shown.isEmpty else { return }
        var table = TextTable(["DAY": .left, "EVENTS": .right])
        for day in shown { table.append([day.date, day.precision.text(day.events)]) }
        print("\n\(table)")
    }
}

extension ProjectVolume {
    var json: JSON {
        .object([
            "events": .integer(events), "precision": .string(precision.rawValue), "bytes_estimate": .integer(bytes),
        ])
    }
}

extension ProjectVolume.Day {
    fileprivate var json: JSON {
        .object([
            "day": .string(date), "events": .integer(events), "precision": .string(precision.rawValue),
        ])
    }
}
