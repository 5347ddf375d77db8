internal import ArgumentParser
internal import Configuration
internal import PostgreSQL
internal import Schema

/// `mesher db`: the schema.
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "The database's schema, partitions and retention.",
        subcommands: [Migrate.self, Maintain.self, Status.self])

    struct Migrate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring the schema to this program's version, and make the partitions of the days ahead.",
            discussion: """
                Brings owner and grants to what is needed, too, which a restore may have left out. Safe to run again, and \
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

    struct Maintain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the partitions of the days ahead, and let go of events older than their retention.",
            discussion: """
                To be run once a day. Whole days older than MESHER_RETENTION_DAYS are dropped; events of a project that \
                keeps them for less are deleted. What a long transaction is still reading is left for the next run, and \
                the exit status is 75. Intake never waits for it.
                """)

        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let connection = try options.openMigratedDatabase()
            let made = try Partition.makeAhead(on: connection)
            let outcome = try Retention(days: options.settings().integer(.retentionDays)).apply(on: connection)
            if output.isJSON {
                print(
                    JSON.object([
                        "made": .integer(Int64(made)), "dropped": .array(outcome.dropped.map { .string($0) }),
                        "deleted": .integer(Int64(outcome.deleted)),
                        "busy": .array(outcome.busy.map { .string($0) }),
                    ]))
            } else {
                print("\(made) partitions made, \(outcome.dropped.count) dropped, \(outcome.deleted) events deleted")
                for name in outcome.dropped { print("dropped \(name)") }
            }
            guard outcome.busy.isEmpty else {
                throw CommandError(
                    .temporaryFailure,
                    "still read by a transaction, left for the next run: \(outcome.busy.joined(separator: ", "))")
            }
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
                    partition.name, partition.state.rawValue, partition.rows.map(String.init),
                    String(size / 1024),
                ])
            }
            print("\n\(table)")
        }
    }
}
