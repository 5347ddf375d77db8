internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import System

extension DatabaseCommand {
    /// What must be done each day.
    struct Maintain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create the partitions of the coming days, and drop events older than their retention.",
            discussion: """
                Run it once a day. Whole days older than MESHER_RETENTION_DAYS are dropped; events of a project that \
                keeps them for less are deleted. If all days together are larger than MESHER_RETENTION_SIZE, the oldest \
                are dropped, but not today's. Rotated keys whose time is over, or that were unused for long enough, are \
                revoked. Events of deleted projects are deleted in small steps. What a long transaction still reads is \
                left for the next run; it says who that is, and the exit status is 75. Intake never waits for it. Held \
                days (mesher db hold) are left alone.

                At a terminal it shows first what would be removed, and asks. A timer is not asked.
                """)

        @Flag(help: "Only print what would be dropped.") var dryRun = false
        @OptionGroup var confirmation: Confirmation
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            if dryRun {
                return try plan(on: options.openMigratedDatabase()).show(made: 0, isPlan: true, isJSON: output.isJSON)
            }
            try confirm()
            do {
                try maintain(options.openMigratedDatabase())
                try record(.complete)
            } catch SchemaError.maintained {
                for other in (try? others()) ?? [] { writeError("mesher: at work: \(other.text)\n") }
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
                writeError("mesher: \(error): the metrics don't show this run\n")
            }
        }

        /// The sessions of another maintenance.
        private func others() throws -> [Blocker] {
            let connection = try options.openDatabase()
            return try Blocker.ofMaintenance(on: connection)
        }

        /// What a run would remove now.
        private func plan(on connection: borrowing Connection) throws -> MaintenanceOutcome {
            let projects = try DeletedProjects.withEvents(on: connection)
            return MaintenanceOutcome(
                revokedKeys: try EndedKeys.count(on: connection), retention: try retention().plan(on: connection),
                projects: ProjectsOutcome(projects: projects, deleted: nil))
        }

        /// At a terminal only: a timer has nobody to ask, and follows the settings of somebody who has decided.
        private func confirm() throws {
            guard !confirmation.isGiven, Terminal.isThere else { return }
            let plan = try plan(on: options.openMigratedDatabase())
            guard plan.removesSomething else { return }
            try plan.show(made: 0, isPlan: true, isJSON: false)
            try confirmation.ask("Remove that for good?")
        }

        private func maintain(_ connection: borrowing Connection) throws {
            let made = try Partition.makeAhead(on: connection)
            let keys = try EndedKeys.revoke(on: connection)
            if keys > 0 { OperatorLog.note("has revoked \(keys) rotated keys that have ended") }
            let retention = try retention().apply(on: connection) { OperatorLog.note("has \($0)") }
            let projects = try DeletedProjects.withEvents(on: connection)
            let deleted = try DeletedProjects.deleteEvents(of: projects, on: connection)
            let outcome = MaintenanceOutcome(
                revokedKeys: keys, retention: retention, projects: ProjectsOutcome(projects: projects, deleted: deleted)
            )
            if let deleted, deleted > 0 { OperatorLog.note("has \(outcome.projects.text(isPlan: false).joined())") }
            try outcome.show(made: made, isPlan: false, isJSON: output.isJSON)
        }

        private func retention() throws -> Retention {
            let settings = try options.settings()
            return Retention(
                days: settings.integer(.retentionDays), size: Int64(settings.integer(.retentionSize)) << 20)
        }
    }
}

/// What maintenance has removed, or would remove.
private struct MaintenanceOutcome {
    let revokedKeys: Int
    let retention: Retention.Outcome
    let projects: ProjectsOutcome

    var removesSomething: Bool {
        revokedKeys > 0 || !retention.dropped.isEmpty || retention.deleted > 0 || !projects.projects.isEmpty
    }

    /// - Throws: `CommandError` when something was left.
    func show(made: Int, isPlan: Bool, isJSON: Bool) throws(CommandError) {
        print(
            isJSON
                ? retention.json(made: made, revokedKeys: revokedKeys, projects).description
                : retention.text(made: made, revokedKeys: revokedKeys, projects, isPlan: isPlan))
        guard !retention.busy.isEmpty else { return }
        let blockers = retention.blockers.map { "; blocked by \($0.text)" }.joined()
        throw CommandError(
            .temporaryFailure,
            "still read by a transaction, left for the next run: \(retention.busy.joined(separator: ", "))\(blockers)")
    }
}

/// Deleted projects that had events.
private struct ProjectsOutcome {
    let projects: [DeletedProjects.Entry]
    /// How many events were deleted; nil when none were, since it is a plan or another command does that.
    let deleted: Int?

    func text(isPlan: Bool) -> [String] {
        guard !projects.isEmpty else { return [] }
        let names = projects.map { "\($0.id) (\($0.slug))" }.joined(separator: ", ")
        let what = deleted.map { "deleted \($0) events" } ?? (isPlan ? "would delete events" : "left events")
        return ["\(what) of deleted projects: \(names)"]
    }
}

extension Retention.Outcome {
    fileprivate func json(made: Int, revokedKeys: Int, _ projects: ProjectsOutcome) -> JSON {
        func names(_ names: [String]) -> JSON { .array(names.map { .string($0) }) }
        return .object([
            "made": .integer(Int64(made)), "dropped": names(dropped), "deleted": .integer(Int64(deleted)),
            "busy": names(busy), "for_size": names(forSize), "held": names(held), "excess_bytes": .integer(excess),
            "revoked_keys": .integer(Int64(revokedKeys)),
            "deleted_projects": .array(projects.projects.map { .integer($0.id) }),
            "deleted_of_projects": .optional(projects.deleted.map(Int64.init)),
            "blockers": .array(
                blockers.map { blocker in
                    .object([
                        "pid": .integer(Int64(blocker.pid)), "user": .string(blocker.user),
                        "application": .string(blocker.application), "since": .optional(blocker.since),
                        "state": .optional(blocker.state),
                    ])
                }),
        ])
    }

    fileprivate func text(made: Int, revokedKeys: Int, _ projects: ProjectsOutcome, isPlan: Bool) -> String {
        let verb = isPlan ? "would drop" : "dropped"
        var lines = [
            isPlan
                ? "would drop \(dropped.count) partitions, and delete \(deleted) events of others"
                : "\(made) partitions made, \(dropped.count) dropped, \(deleted) events deleted"
        ]
        lines += dropped.map { "\(verb) \($0)" + (forSize.contains($0) ? ", for the size of all days" : "") }
        if excess > 0 {
            let others = held.isEmpty ? "" : ", nor are held days: \(held.joined(separator: ", "))"
            lines.append(
                "all days are \((excess + (1 << 20) - 1) >> 20) MiB larger than MESHER_RETENTION_SIZE: today's is never dropped\(others)"
            )
        } else if !held.isEmpty {
            lines.append("held, and so not dropped for the size of all days: \(held.joined(separator: ", "))")
        }
        if revokedKeys > 0 { lines.append("\(isPlan ? "would revoke" : "revoked") \(revokedKeys) rotated keys") }
        lines += projects.text(isPlan: isPlan)
        return lines.joined(separator: "\n")
    }
}

extension Blocker {
    /// One line for people.
    fileprivate var text: String {
        let since = since.map { "since \($0)" } ?? "since when only pg_read_all_stats may know"
        let named = application.isEmpty ? "" : ", application \(application)"
        return TextTable.printable(
            "pid \(pid) (user \(user)\(named), in a transaction \(since)\(state.map { ", \($0)" } ?? ""))")
    }
}
