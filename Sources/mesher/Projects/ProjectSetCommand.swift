internal import ArgumentParser
internal import Configuration
internal import PostgreSQL

/// `mesher project set`: a project's own limits and origins; they take effect at the edges within a second.
struct ProjectSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a project's rate limit, allowed origins, retention and scrubbing.",
        discussion: "\"none\" restores the default. Options that are not given stay as they are.")

    /// A number of a project's own, or the service's default.
    enum Limit: ExpressibleByArgument {
        case none
        case number(Int)

        init?(argument: String) {
            if argument == "none" {
                self = .none
            } else if let number = Int(argument) {
                self = .number(number)
            } else {
                return nil
            }
        }

        /// What is stored, nil for NULL.
        var parameter: String? {
            if case .number(let number) = self { String(number) } else { nil }
        }
    }

    @Argument(help: "Slug or id.") var project: String
    @Option(help: ArgumentHelp("Events per window.", valueName: "events|none")) var rateLimit: Limit?
    @Option(help: ArgumentHelp("Length of the window.", valueName: "seconds|none")) var rateLimitWindow: Limit?
    @Option(help: ArgumentHelp("How long events are kept.", valueName: "days|none")) var retentionDays: Limit?
    @Option(
        name: .customLong("allowed-origin"),
        help: ArgumentHelp(
            "Origin whose pages may send, such as https://shop.example; may be repeated.", valueName: "origin|none"))
    var allowedOrigins: [Origin] = []
    @Option(
        help: ArgumentHelp(
            "What is removed from events before they are stored: default, ip, email, and names of fields.",
            valueName: "default|ip|email|name,…|off"))
    var scrub: ScrubOption?
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    /// The most origins of one project.
    private static let originLimit = 100

    /// What was asked for: the column, the option, the setting whose range applies, the value.
    private var changes: [(column: String, option: String, setting: Setting, limit: Limit)] {
        [
            ("rate_limit_events", "--rate-limit", .rateLimitEvents, rateLimit),
            ("rate_limit_seconds", "--rate-limit-window", .rateLimitSeconds, rateLimitWindow),
            ("retention_days", "--retention-days", .retentionDays, retentionDays),
        ].compactMap { column, option, setting, limit in limit.map { (column, option, setting, $0) } }
    }

    func validate() throws {
        if changes.isEmpty, allowedOrigins.isEmpty, scrub == nil {
            throw ValidationError(
                "one of --rate-limit, --rate-limit-window, --retention-days, --allowed-origin and --scrub is needed")
        }
        if allowedOrigins.count > 1, allowedOrigins.contains(.none) {
            throw ValidationError("--allowed-origin none excludes all others")
        }
        guard allowedOrigins.count <= Self.originLimit else {
            throw ValidationError("--allowed-origin may be given at most \(Self.originLimit) times")
        }
        for change in changes {
            guard case .number(let number) = change.limit, case .integer(let range) = change.setting.kind else {
                continue
            }
            guard range.contains(number) else {
                throw ValidationError(
                    "\(change.option) must be from \(range.lowerBound) to \(range.upperBound) \(change.setting.unit)")
            }
        }
    }

    func run() throws {
        let connection = try options.openMigratedDatabase()
        let project = try Project.find(project, on: connection)
        var columns = changes.map { (name: $0.column, value: $0.limit.parameter) }
        if !allowedOrigins.isEmpty { columns.append(("allowed_origins", Origin.array(allowedOrigins))) }
        if let scrub { columns.append(("scrub", scrub.parameter)) }
        let assignments = columns.enumerated().map { index, column in "\(column.name) = $\(index + 2)" }
        _ = try connection.query(
            "UPDATE public.projects SET \(assignments.joined(separator: ", ")) WHERE id = $1",
            [String(project.id)] + columns.map(\.value))
        let changed = try Project.find(String(project.id), on: connection)
        if output.isJSON { return print(changed.json) }
        for change in changes {
            let value = change.limit.parameter.map { "\($0) \(change.setting.unit)" } ?? "the default"
            print("\(changed.slug): \(change.option.dropFirst(2)) is \(value)")
        }
        if !allowedOrigins.isEmpty { print("\(changed.slug): pages of \(changed.origins) may send") }
        if scrub != nil { print("\(changed.slug): scrub is \(changed.scrubbing)") }
    }
}
