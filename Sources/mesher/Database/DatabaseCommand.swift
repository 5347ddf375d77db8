internal import ArgumentParser
internal import PostgreSQL
internal import Schema

/// `mesher db`: the schema.
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "The database's schema, partitions and retention.",
        subcommands: [Migrate.self, Maintain.self, Hold.self, Release.self, Status.self, Distribute.self])

    struct Migrate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Migrate the schema to this program's version, and create the partitions of the coming days.",
            discussion: """
                Also sets the owner and grants that are needed, which a restore may have left out. Safe to run again, and \
                from two places at once.
                """)

        @OptionGroup var options: CommonOptions

        func run() throws {
            let connection = try options.openDatabase()
            let applied = try Migrator().migrate(connection)
            for migration in applied { print("migrated to \(migration.version): \(migration.name)") }
            try Rights.restore(on: connection)
            try ProjectIDs.advance(on: connection)
            let made = try Partition.makeAhead(on: connection)
            let remark = applied.isEmpty ? ", nothing to migrate" : ""
            print("schema version \(Migration.latest)\(remark), \(made) partitions made")
        }
    }

    /// A day that retention leaves alone, such as one that was restored to be looked at.
    struct Hold: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep the events of a day, however old, until the day is released.",
            discussion: """
                Run it before you restore an old day from a backup: the next maintenance would drop it. The day gets a partition \
                if it has none. The mark is a comment on that table, so a dump of it includes the mark.
                """)

        @Argument(help: "The day in UTC, such as 2026-01-31.") var day: String
        @OptionGroup var options: CommonOptions

        func run() throws {
            print("\(try DatabaseCommand.hold(day, true, options)) is held until mesher db release \(day)")
        }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Release a day: the next maintenance drops it if it is older than the retention.")

        @Argument(help: "The day in UTC, such as 2026-01-31.") var day: String
        @OptionGroup var options: CommonOptions

        func run() throws {
            print("\(try DatabaseCommand.hold(day, false, options)) is no longer held")
        }
    }

    fileprivate static func hold(_ day: String, _ isHeld: Bool, _ options: CommonOptions) throws -> String {
        do {
            return try Partition.hold(day, isHeld, on: options.openMigratedDatabase())
        } catch SchemaError.database(let error, _) where ["22007", "22008", "22023", "42P01"].contains(error.sqlState) {
            throw CommandError(.dataError, "\(TextTable.printable(day)): \(error.message)")
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the schema's version and the partitions.",
            discussion: "Rows are the planner's estimate.")

        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let connection = try options.openDatabase()
            let version = try Migrator().version(of: connection)
            var partitions: [(partition: Partition, size: Int64)] = []
            if version > 0 {
                for partition in try Partition.all(on: connection) {
                    partitions.append((partition, try partition.size(on: connection)))
                }
            }
            if output.isJSON {
                print(
                    JSON.object([
                        "version": .integer(Int64(version)), "latest": .integer(Int64(Migration.latest)),
                        "partitions": .array(
                            partitions.map { partition, size in
                                .object([
                                    "name": .string(partition.name), "state": .string(partition.state.rawValue),
                                    "rows": .optional(partition.rows), "bytes": .integer(size),
                                    "held": .boolean(partition.isHeld),
                                ])
                            }),
                    ]))
                return
            }
            let remark =
                version < Migration.latest ? ", this program needs \(Migration.latest): run mesher db migrate" : ""
            print("schema version \(version)\(remark)")
            if partitions.isEmpty { return }
            var table = TextTable(["PARTITION": .left, "STATE": .left, "ROWS": .right, "KIB": .right])
            for (partition, size) in partitions {
                table.append([
                    partition.name, partition.state.rawValue + (partition.isHeld ? ", held" : ""),
                    partition.rows.map(String.init),
                    String(size / 1024),
                ])
            }
            print("\n\(table)")
        }
    }
}
