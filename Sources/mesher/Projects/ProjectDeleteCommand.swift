internal import ArgumentParser
internal import PostgreSQL
internal import Schema

/// `mesher project delete`: a project's keys at once, and its events in steps that intake does not notice.
struct ProjectDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a project with its keys and all its events.",
        discussion: """
            Shows what it has stored, and asks. Its keys are refused at once, its id is never used again, its slug may be. Its events \
            are deleted in small steps with pauses, those of held days too. When that is interrupted, run the command again, \
            or leave the rest to mesher db maintain, as with --later. Maintenance also deletes events that hosts were just storing.

            What waits in a host's spool goes to its quarantine: see mesher quarantine list there.
            """)

    @Argument(help: "Slug or id; also of a project whose events were not all deleted.") var project: String
    @Flag(help: "Only show what it has stored.") var dryRun = false
    @Flag(help: "Leave its events to mesher db maintain.") var later = false
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    func run() throws {
        let connection = try options.openMigratedDatabase()
        if let begun = try begun(on: connection) {
            guard !dryRun else {
                return print("project \(begun.slug) (id \(begun.id)) is deleted; events of it are left")
            }
            return try deleteEvents(of: begun, on: connection)
        }
        let project = try Project.find(project, on: connection)
        if dryRun || !confirmation.isGiven || !output.isJSON { try show(project, on: connection) }
        if dryRun { return }
        try confirmation.ask("Delete project \(project.slug) with all its events for good?")
        let name = "project \(project.id) (\(project.slug))"
        OperatorLog.note("deletes \(name)")
        guard try DeletedProjects.add(project.id, on: connection) else {
            throw CommandError(.dataError, "\(name) is gone already")
        }
        if !output.isJSON { print("project \(project.slug) (id \(project.id)) is deleted, its keys are refused") }
        try deleteEvents(of: .init(id: project.id, slug: project.slug), on: connection)
    }

    /// The project, if it was deleted already and has events left.
    private func begun(on connection: borrowing Connection) throws -> DeletedProjects.Entry? {
        let isNumber = Int64(project) != nil
        let projects = try connection.query(
            "SELECT FROM public.projects WHERE \(isNumber ? "id" : "slug") = $1", [project])
        guard projects.count == 0 else { return nil }
        let deleted = try DeletedProjects.all(on: connection)
        guard deleted.contains(where: { isNumber ? String($0.id) == project : $0.slug == project }) else { return nil }
        // Of several that had one slug the last one.
        let left = try DeletedProjects.withEvents(on: connection)
        guard let entry = left.last(where: { isNumber ? String($0.id) == project : $0.slug == project }) else {
            throw CommandError(.dataError, "project \(TextTable.printable(project)) is deleted, and so are its events")
        }
        return entry
    }

    private func show(_ project: Project, on connection: borrowing Connection) throws {
        let volume = try ProjectVolume(of: project.id, on: connection)
        let keys = try ProjectKey.all(of: project.id, on: connection)
        if output.isJSON, dryRun {
            return print(
                JSON.object([
                    "id": .integer(project.id), "slug": .string(project.slug), "keys": .integer(Int64(keys.count)),
                    "stored": volume.json,
                ]))
        }
        let days = volume.days.last.map { " of \(volume.days.count) days, from \($0.date) on" } ?? ""
        print(
            """
            project  \(project.slug) (id \(project.id))
            keys     \(keys.count), \(keys.count { $0.isInForce }) of them in force
            stored   \(volume.summary)\(days)
            """)
    }

    private func deleteEvents(of project: DeletedProjects.Entry, on connection: borrowing Connection) throws {
        var line = TerminalProgress()
        defer { line.end() }
        let deleted =
            later
            ? nil
            : try DeletedProjects.deleteEvents(of: [project], on: connection) { _, progress in
                line.show("\(progress.day): \(progress.events) events deleted")
            }
        line.end()
        if let deleted { OperatorLog.note("has deleted project \(project.id) (\(project.slug)): \(deleted) events") }
        guard !output.isJSON else {
            return print(
                JSON.object([
                    "id": .integer(project.id), "slug": .string(project.slug),
                    "events_deleted": .optional(deleted.map(Int64.init)),
                ]))
        }
        if let deleted {
            print("\(deleted) events deleted")
        } else if later {
            print("its events are left to mesher db maintain")
        } else {
            print(
                "events of deleted projects are being deleted by another command, which may not know of this one: "
                    + "what it leaves is deleted by mesher db maintain")
        }
    }
}
