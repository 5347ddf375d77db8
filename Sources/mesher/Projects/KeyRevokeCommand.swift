internal import ArgumentParser
internal import PostgreSQL

/// `mesher key revoke`: a key is refused at once.
struct KeyRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a key: events sent with it are refused from then on.",
        discussion: "Shows whose key it is and when it was last used, and asks.")

    @Argument(help: "32 hex digits.") var key: String
    @Flag(help: "Only show whose key it is, and its last use.") var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var options: CommonOptions

    func run() throws {
        let connection = try options.openMigratedDatabase()
        let key = try ProjectKey.find(APIKey.given(key), on: connection)
        let project = try Project.find(String(key.project), on: connection)
        guard key.revokedAt == nil else { return print("already revoked") }
        if dryRun || !confirmation.isGiven { print(try KeySummary(key, of: project, on: connection)) }
        if dryRun { return }
        try confirmation.ask("Revoke this key for good?")
        let isNew = try ProjectKey.revoke(key.key, on: connection)
        if isNew { OperatorLog.note("has revoked \(KeySummary.name(of: key, project))") }
        print(isNew ? "revoked" : "already revoked")
    }
}

/// What is shown of a key that is to end: whose it is, and who may still use it.
struct KeySummary: CustomStringConvertible {
    let description: String

    init(_ key: ProjectKey, of project: Project, on connection: borrowing Connection) throws(DatabaseError) {
        let others = try ProjectKey.all(of: project.id, on: connection).count { $0.isInForce && $0.key != key.key }
        let label = key.label.isEmpty ? "" : " (\(TextTable.printable(key.label)))"
        description = """
            key        \(key.key)\(label)
            project    \(project.slug) (id \(project.id)), which has \(others == 1 ? "1 other key" : "\(others) other keys") in force
            last used  \(key.lastUsedOn ?? "never")\(key.ending.map { ", ends \($0)" } ?? "")
            """
    }

    /// For a log, which must not have all of a key, nor its label, which may name a person.
    static func name(of key: ProjectKey, _ project: Project) -> String {
        "the key \(key.key.prefix(8))… of project \(project.id) (\(project.slug))"
    }
}
