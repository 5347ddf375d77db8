internal import ArgumentParser
internal import PostgreSQL
internal import Schema

/// `mesher db`: the schema.
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "The database's schema, partitions and retention.",
        subcommands: [Migrate.self])

    struct Migrate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring the schema to this program's version, and make the partitions of the days ahead.",
            discussion: "Safe to run again, and from two places at once.")

        @OptionGroup var options: CommonOptions

        func run() throws {
            let connection = try options.openDatabase()
            let applied = try Migrator().migrate(connection)
            for migration in applied { print("migrated to \(migration.version): \(migration.name)") }
            let made = try Partitions.makeAhead(on: connection)
            print(
                "schema version \(Migration.latest)\(applied.isEmpty ? ", nothing to migrate" : ""), \(made) partitions made"
            )
        }
    }
}
