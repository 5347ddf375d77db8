internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import System

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

    struct Maintain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create the partitions of the coming days, and drop events older than their retention.",
            discussion: """
                Run it once a day. Whole days older than MESHER_RETENTION_DAYS are dropped; events of a project that \
                keeps them for less are deleted. What a long transaction still reads is left for the next run, and \
                the exit status is 75. Intake never waits for it. Held days (mesher db hold) are left alone.
                """)

        @Flag(help: "Only print what would be dropped.") var dryRun = false
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            guard !dryRun else { return try maintain() }
            do {
                try maintain()
                try record(.complete)
            } catch SchemaError.maintained {
                // The other one records how it ended.
                throw SchemaError.maintained
            } catch {
                try record(ExitStatus(of: error) == .temporaryFailure ? .partial : .failed)
                throw error
            }
        }

        /// For the metrics of this host's service, if it has one.
        private func record(_ result: MaintenanceRecord.Result) throws {
            let directory = try options.settings().text(.runDirectory)
            guard access(directory, F_OK) == 0 else { return }
            do throws(SystemError) {
                try MaintenanceRecord(at: Int64(time(nil)), result).write(in: directory)
            } catch {
                let text = "mesher: \(error): the metrics don't show this run\n"
                _ = write(STDERR_FILENO, text, text.utf8.count)
            }
        }

        private func maintain() throws {
            let connection = try options.openMigratedDatabase()
            let retention = Retention(days: try options.settings().integer(.retentionDays))
            let made = dryRun ? 0 : try Partition.makeAhead(on: connection)
            let outcome = dryRun ? try retention.plan(on: connection) : try retention.apply(on: connection)
            if output.isJSON {
                print(
                    JSON.object([
                        "made": .integer(Int64(made)), "dropped": .array(outcome.dropped.map { .string($0) }),
                        "deleted": .integer(Int64(outcome.deleted)),
                        "busy": .array(outcome.busy.map { .string($0) }),
                    ]))
            } else if dryRun {
                print("would drop \(outcome.dropped.count) partitions, and delete \(outcome.deleted) events of others")
                for name in outcome.dropped { print("would drop \(name)") }
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
