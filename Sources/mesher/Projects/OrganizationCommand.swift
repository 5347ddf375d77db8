internal import ArgumentParser
internal import PostgreSQL

/// `mesher org`: who owns projects.
struct OrganizationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Create, list, rename and delete organizations, to which projects belong.",
        subcommands: [Create.self, List.self, Rename.self, Delete.self])

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
            let slug = try Slug.named(name)
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

    struct Rename: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Rename an organization. Its projects stay in it.")

        @Argument(help: "The organization.") var organization: String
        @Argument(help: "Its new name; the slug is derived from it.") var name: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let slug = try Slug.named(name)
            let connection = try options.openMigratedDatabase()
            let renamed: Rows
            do throws(DatabaseError) {
                renamed = try connection.query(
                    "UPDATE public.organizations SET slug = $2 WHERE slug = $1", [organization, slug])
            } catch {
                guard error.sqlState == Project.uniqueViolation else { throw error }
                throw CommandError(.dataError, "organization \(slug) already exists")
            }
            guard renamed.affectedRows == 1 else { throw OrganizationCommand.missing(organization) }
            print(output.isJSON ? JSON.object(["slug": .string(slug)]).description : "\(organization) is now \(slug)")
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an organization that has no projects.")

        @Argument(help: "The organization.") var organization: String
        @Flag(help: "Only look whether it could be deleted.") var dryRun = false
        @OptionGroup var confirmation: Confirmation
        @OptionGroup var options: CommonOptions

        /// So many projects are named that are in the way.
        private static let namesShown = 10

        func run() throws {
            let connection = try options.openMigratedDatabase()
            let found = try connection.query(
                """
                SELECT p.slug FROM public.organizations o LEFT JOIN public.projects p ON p.organization_id = o.id
                WHERE o.slug = $1 ORDER BY p.slug
                """, [organization])
            guard found.count > 0 else { throw OrganizationCommand.missing(organization) }
            let projects = (0..<found.count).compactMap { found[row: $0, column: 0] }
            guard projects.isEmpty else {
                let names = projects.prefix(Self.namesShown).joined(separator: ", ")
                let rest = projects.count - Self.namesShown
                throw CommandError(
                    .dataError,
                    "organization \(organization) has projects: \(names)\(rest > 0 ? " and \(rest) others" : "")")
            }
            print("organization \(organization) has no projects")
            if dryRun { return }
            try confirmation.ask("Delete it?")
            let deleted = try connection.query(
                """
                DELETE FROM public.organizations o WHERE slug = $1
                    AND NOT EXISTS (SELECT FROM public.projects WHERE organization_id = o.id)
                """, [organization])
            guard deleted.affectedRows == 1 else {
                throw CommandError(.dataError, "organization \(organization) has a project by now, or is gone")
            }
            OperatorLog.note("has deleted organization \(organization)")
            print("deleted")
        }
    }

    private static func missing(_ organization: String) -> CommandError {
        CommandError(.dataError, "no organization \(TextTable.printable(organization)); see mesher org list")
    }
}
