internal import ArgumentParser
internal import PostgreSQL

/// `mesher org`: who owns projects.
struct OrganizationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Create and list organizations, to which projects belong.",
        subcommands: [Create.self, List.self])

    /// Where a project goes when nobody says otherwise; made when it is first needed.
    static let fallback = "default"

    /// Creates an organization.
    ///
    /// - Returns: false when it is there already.
    static func create(_ slug: String, on connection: borrowing Connection) throws(DatabaseError) -> Bool {
        try connection.query("INSERT INTO public.organizations (slug) VALUES ($1) ON CONFLICT DO NOTHING", [slug])
            .affectedRows == 1
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create an organization.")

        @Argument(help: "Its name; the slug is derived from it.") var name: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            guard let slug = Slug.make(from: name) else {
                throw CommandError(.usage, "NAME needs a letter from a to z")
            }
            let connection = try options.openMigratedDatabase()
            guard try OrganizationCommand.create(slug, on: connection) else {
                throw CommandError(.dataError, "organization \(slug) already exists")
            }
            print(output.isJSON ? JSON.object(["slug": .string(slug)]).description : slug)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List organizations.")

        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let rows = try options.openMigratedDatabase().query(
                """
                SELECT o.slug, count(p.id) FROM public.organizations o
                LEFT JOIN public.projects p ON p.organization_id = o.id GROUP BY o.slug ORDER BY o.slug
                """)
            var table = TextTable(["ORGANIZATION": .left, "PROJECTS": .right])
            var values: [JSON] = []
            for row in 0..<rows.count {
                let slug = rows[row: row, column: 0] ?? ""
                let projects = rows[row: row, column: 1].flatMap { Int64($0) }
                table.append([slug, projects.map(String.init)])
                values.append(.object(["slug": .string(slug), "projects": .optional(projects)]))
            }
            print(output.isJSON ? JSON.array(values).description : table.description)
        }
    }
}
