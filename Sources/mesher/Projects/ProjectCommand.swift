internal import ArgumentParser
internal import Configuration
internal import PostgreSQL

/// `mesher project`: who may send, and how much.
struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Create, show and limit projects.",
        discussion: "PROJECT is a slug or an id.",
        subcommands: [Create.self, List.self, Show.self, ProjectSetCommand.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a project with a first key, and print its DSN.")

        @Argument(help: "Its name; the slug is derived from it.") var name: String
        @Option(
            name: .customLong("org"), help: ArgumentHelp("The organization it belongs to.", valueName: "organization"))
        var organization = OrganizationCommand.fallback
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            guard let slug = Slug.make(from: name) else {
                throw CommandError(.usage, "NAME needs a letter from a to z")
            }
            let key = APIKey.generate()
            let settings = try options.settings()
            let publicURL = settings.text(.publicURL)
            // A wrong public URL is found before anything is created.
            _ = try DSN(publicURL: publicURL, key: key, project: 1)

            let connection = try options.openMigratedDatabase()
            if organization == OrganizationCommand.fallback {
                _ = try OrganizationCommand.create(organization, on: connection)
            }
            let id = try Project.create(
                slug: slug, organization: organization, key: key, beyond: SeenProjects.highest(settings), on: connection
            )
            let dsn = try DSN(publicURL: publicURL, key: key, project: id)
            if output.isJSON {
                print(
                    JSON.object([
                        "id": .integer(id), "slug": .string(slug), "key": .string(key), "dsn": .string("\(dsn)"),
                    ]))
            } else {
                print("project  \(slug) (id \(id))\nkey      \(key)\nDSN      \(dsn)")
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List projects, by slug.")

        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let projects = try Project.all(on: options.openMigratedDatabase())
            if output.isJSON { return print(JSON.array(projects.map(\.json))) }
            var table = TextTable([
                "ID": .right, "PROJECT": .left, "ORGANIZATION": .left, "EVENTS": .right, "WINDOW": .right,
                "RETENTION": .right, "CREATED": .left,
            ])
            for project in projects {
                table.append([
                    String(project.id), project.slug, project.organization, project.rateLimitEvents.map(String.init),
                    project.rateLimitSeconds.map { "\($0) s" }, project.retentionDays.map { "\($0) d" },
                    project.createdAt,
                ])
            }
            print(table)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a project and, for each valid key, its DSN and the address for browsers' security reports."
        )

        @Argument(help: "Slug or id.") var project: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let publicURL = try options.settings().text(.publicURL)
            let connection = try options.openMigratedDatabase()
            let project = try Project.find(project, on: connection)
            let dsns = try ProjectKey.all(of: project.id, on: connection).filter { $0.revokedAt == nil }
                .map { try DSN(publicURL: publicURL, key: $0.key, project: project.id) }
            if output.isJSON {
                print(
                    JSON.object([
                        "project": project.json, "dsns": .array(dsns.map { .string("\($0)") }),
                        "report_uris": .array(dsns.map { .string($0.securityURL) }),
                    ]))
                return
            }
            print(
                """
                project       \(project.slug) (id \(project.id))
                organization  \(project.organization)
                rate limit    \(project.rateLimitEvents.map { "\($0) events" } ?? "default")
                window        \(project.rateLimitSeconds.map { "\($0) s" } ?? "default")
                retention     \(project.retentionDays.map { "\($0) days" } ?? "default")
                origins       \(project.origins)
                created       \(project.createdAt)
                """)
            for dsn in dsns { print("DSN           \(dsn)\nreport-uri    \(dsn.securityURL)") }
        }
    }
}

extension Project {
    var json: JSON {
        .object([
            "id": .integer(id), "slug": .string(slug), "organization": .string(organization),
            "rate_limit_events": .optional(rateLimitEvents), "rate_limit_seconds": .optional(rateLimitSeconds),
            "retention_days": .optional(retentionDays),
            "allowed_origins": allowedOrigins.map { .array($0.split(separator: " ").map { .string(String($0)) }) }
                ?? .null,
            "created_at": .string(createdAt),
        ])
    }
}
