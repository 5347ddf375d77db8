internal import ArgumentParser
internal import Configuration
internal import PostgreSQL

/// `mesher key rotate`: a new key in the place of another, which stays valid for a while.
struct KeyRotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Create a key with the label of another, and let that one end.",
        discussion: """
            The old key is refused after a day, or after --after. Every host does so by its own clock, also while PostgreSQL is \
            away. With --when-unused it is instead revoked by mesher db maintain, once no host has had a request with it for so \
            many whole days; key list shows its last use. With both, whatever comes first. mesher key revoke ends it at once.

            Shows whose key it is and when it was last used, and asks.
            """)

    @Argument(help: "32 hex digits: the key that ends.") var key: String
    @Option(help: ArgumentHelp("When the old key is refused (default: 24).", valueName: "hours")) var after: Int?
    @Option(help: ArgumentHelp("Revoke the old key after so many days without use.", valueName: "days"))
    var whenUnused: Int?
    @Flag(help: "Only show whose key it is, and its last use.") var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    private static let defaultHours = 24
    private static let longestHours = 8_760
    private static let longestDays = 3_650

    func validate() throws {
        guard (0...Self.longestHours).contains(after ?? 0) else {
            throw ValidationError("--after must be from 0 to \(Self.longestHours) hours")
        }
        guard (1...Self.longestDays).contains(whenUnused ?? 1) else {
            throw ValidationError("--when-unused must be from 1 to \(Self.longestDays) days")
        }
    }

    func run() throws {
        let publicURL = try options.settings().text(.publicURL)
        let successor = APIKey.generate()
        // A wrong public URL is found before anything is created.
        _ = try DSN(publicURL: publicURL, key: successor, project: 1)
        let connection = try options.openMigratedDatabase()
        let key = try ProjectKey.find(APIKey.given(key), on: connection)
        try key.requireNoEnd()
        let project = try Project.find(String(key.project), on: connection)
        if dryRun || !confirmation.isGiven { print(try KeySummary(key, of: project, on: connection)) }
        if dryRun { return }
        try confirmation.ask("Create a key in its place, and let this one end?")
        let rotation = try ProjectKey.rotate(
            key.key, to: successor, hours: after ?? (whenUnused == nil ? Self.defaultHours : nil),
            unusedDays: whenUnused, on: connection)
        OperatorLog.note("has rotated \(KeySummary.name(of: key, project))")
        let dsn = try DSN(publicURL: publicURL, key: successor, project: rotation.project)
        guard !output.isJSON else {
            return print(
                JSON.object([
                    "key": .string(successor), "project_id": .integer(rotation.project),
                    "label": .string(rotation.label), "dsn": .string("\(dsn)"), "former_key": .string(key.key),
                    "expires_at": .optional(rotation.expiresAt), "unused_days": .optional(whenUnused.map(Int64.init)),
                ]))
        }
        print("key  \(successor)\nDSN  \(dsn)")
        if let end = rotation.expiresAt { print("the old key is refused from \(end) on") }
        if let whenUnused { print("the old key is revoked after \(whenUnused) days without use") }
    }
}
