internal import ArgumentParser
internal import PostgreSQL
internal import Schema

extension DatabaseCommand {
    /// The events over several servers.
    struct Distribute: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Distribute the events by project over the servers of Citus.",
            discussion: """
                The database must have the extension citus, and its servers must be added. Until the events are copied nobody \
                can store any in PostgreSQL: hosts spool. Projects and keys stay on this server. Safe to run again.
                """)

        @Flag(help: "Only print what would be done.") var dryRun = false
        @OptionGroup var options: CommonOptions

        func run() throws {
            let connection = try options.openMigratedDatabase()
            guard let found = try Distribution.look(on: connection) else {
                throw CommandError(
                    .configuration,
                    "the database has no Citus: install it on each server, then CREATE EXTENSION citus as superuser")
            }
            guard found.servers > 0 else {
                throw CommandError(
                    .configuration,
                    "no server of Citus takes events: SELECT citus_add_node('server', 5432) as superuser")
            }
            print("Citus \(found.version), \(found.servers == 1 ? "1 server" : "\(found.servers) servers")")
            for table in found.tables {
                guard !table.isDistributed else {
                    print("\(table.name) is distributed by project")
                    continue
                }
                print(
                    "\(dryRun ? "would distribute" : "distributing") \(table.name) by project, about \(table.rows) rows"
                )
                if !dryRun { try found.distribute(table, on: connection) }
            }
        }
    }
}
