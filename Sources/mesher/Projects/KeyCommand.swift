internal import ArgumentParser
internal import Configuration
internal import PostgreSQL

/// `mesher key`: the keys by which a project's clients are known. Changes are in force at the edges within a second.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Create, list, rotate and revoke the keys of projects.",
        subcommands: [Create.self, List.self, KeyRotateCommand.self, KeyRevokeCommand.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a further key for a project.")

        @Argument(help: "Slug or id.") var project: String
        @Option(help: "What it is for.") var label = ""
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let publicURL = try options.settings().text(.publicURL)
            let key = APIKey.generate()
            let connection = try options.openMigratedDatabase()
            let project = try Project.find(project, on: connection)
            let dsn = try DSN(publicURL: publicURL, key: key, project: project.id)
            try ProjectKey.add(key, label: label, to: project.id, on: connection)
            if output.isJSON {
                print(
                    JSON.object([
                        "key": .string(key), "project_id": .integer(project.id), "label": .string(label),
                        "dsn": .string("\(dsn)"),
                    ]))
            } else {
                print("key  \(key)\nDSN  \(dsn)")
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a project's keys, oldest first.",
            discussion: """
                LAST USED is the last day, in UTC, on which a host had a request with the key, whatever became of it. A host says \
                so within seconds, or once PostgreSQL is back. ENDS is when the key is refused: since another took its place.
                """)

        @Argument(help: "Slug or id.") var project: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let connection = try options.openMigratedDatabase()
            let project = try Project.find(project, on: connection)
            let keys = try ProjectKey.all(of: project.id, on: connection)
            if output.isJSON {
                let values = keys.map { key in
                    JSON.object([
                        "key": .string(key.key), "project_id": .integer(project.id), "label": .string(key.label),
                        "created_at": .string(key.createdAt), "last_used_on": .optional(key.lastUsedOn),
                        "expires_at": .optional(key.expiresAt), "unused_days": .optional(key.unusedDays),
                        "revoked_at": .optional(key.revokedAt),
                    ])
                }
                return print(JSON.array(values))
            }
            var table = TextTable([
                "KEY": .left, "LABEL": .left, "CREATED": .left, "LAST USED": .left, "ENDS": .left, "REVOKED": .left,
            ])
            for key in keys {
                table.append([key.key, key.label, key.createdAt, key.lastUsedOn, key.ending, key.revokedAt])
            }
            print(table)
        }
    }
}
