internal import ArgumentParser
internal import Configuration
internal import PostgreSQL

/// `mesher project`: who may send, and how much.
struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Create, show, limit, rename and delete projects.",
        discussion: "PROJECT is a slug or an id.",
        subcommands: [
            Create.self, List.self, ProjectShowCommand.self, ProjectSetCommand.self, ProjectRenameCommand.self,
            ProjectDeleteCommand.self,
        ])

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
            let slug = try Slug.named(name)
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
}

extension Project {
    var json: JSON {
        .object([
            "id": .integer(id), "slug": .string(slug), "organization": .string(organization),
            "rate_limit_events": .optional(rateLimitEvents), "rate_limit_seconds": .optional(rateLimitSeconds),
            "retention_days": .optional(retentionDays),
            "allowed_origins": allowedOrigins.map { .array($0.split(separator: " ").map { .string(String($0)) }) }
                ?? .null,
            "scrub": scrub.map { .array($0.split(separator: " ").map { .string(String($0)) }) } ?? .null,
            "created_at": .string(createdAt),
        ])
    }
}
