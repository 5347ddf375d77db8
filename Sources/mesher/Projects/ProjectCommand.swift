internal import ArgumentParser
internal import Configuration
internal import PostgreSQL

/// `mesher project`: who may send, and how much.
struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Projects: create them, see them, limit them.",
        subcommands: [Create.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a project with a first key, and print its DSN.")

        @Argument(help: "Its name, of which the slug is made.") var name: String
        @Option(name: .customLong("org"), help: "The organization it belongs to.")
        var organization = OrganizationCommand.fallback
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            guard let slug = Slug.make(from: name) else {
                throw CommandError(.usage, "NAME needs a letter from a to z")
            }
            let key = APIKey.generate()
            let publicURL = try options.settings().text(.publicURL)
            // A wrong public URL is found before anything is created.
            _ = try DSN(publicURL: publicURL, key: key, project: 1)

            let connection = try options.openMigratedDatabase()
            if organization == OrganizationCommand.fallback {
                _ = try OrganizationCommand.create(organization, on: connection)
            }
            let id = try Project.create(slug: slug, organization: organization, key: key, on: connection)
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
}
