internal import ArgumentParser
internal import PostgreSQL

/// `mesher project rename`: another slug for a project. Its id stays, and so do its keys, DSNs and events.
struct ProjectRenameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Rename a project. Its id, its keys and DSNs and its events stay as they are.")

    @Argument(help: "Slug or id.") var project: String
    @Argument(help: "Its new name; the slug is derived from it.") var name: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    func run() throws {
        let slug = try Slug.named(name)
        let connection = try options.openMigratedDatabase()
        let project = try Project.find(project, on: connection)
        do throws(DatabaseError) {
            _ = try connection.query(
                "UPDATE public.projects SET slug = $2 WHERE id = $1", [String(project.id), slug])
        } catch {
            guard error.sqlState == Project.uniqueViolation else { throw error }
            throw CommandError(.dataError, "project \(slug) already exists; see mesher project show \(slug)")
        }
        let renamed = try Project.find(String(project.id), on: connection)
        print(output.isJSON ? renamed.json.description : "\(project.slug) is now \(renamed.slug) (id \(renamed.id))")
    }
}
