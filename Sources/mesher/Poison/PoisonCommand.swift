internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import Scoreboard

/// `mesher poison`: the requests that are refused since they killed workers.
struct PoisonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poison", abstract: "List and forget requests that are refused because they killed workers.",
        discussion: """
            A request that a worker was handling when it died is retried once, alone. If it kills another worker, it \
            is refused from then on, and so is every request of its project with the same body. This host remembers the \
            latest \(ScoreboardFile.suspectsOfProject) of each project, until its run directory is gone.
            """,
        subcommands: [List.self, Forget.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the requests that are refused, the latest first.")

        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let directory = try options.settingsWithoutSecrets().text(.runDirectory)
            guard let suspects = ScoreboardFile.suspects(in: directory) else {
                throw PoisonCommand.noService(directory)
            }
            let poison = suspects.filter(\.isPoison).map(PoisonRecord.init)
            if output.isJSON { return print(JSON.array(poison.map(\.json))) }
            var table = TextTable([
                "REQUEST": .left, "PROJECT": .right, "BYTES": .right, "HASH": .left, "DEATHS": .right, "LAST": .left,
            ])
            for record in poison { table.append(record.cells) }
            print(table)
        }
    }

    struct Forget: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Accept refused requests again, once the defect is fixed.")

        @Argument(help: "The request's id: 32 hex digits.") var request: String?
        @Flag(help: "Forget all of them.") var all = false
        @OptionGroup var options: CommonOptions

        func validate() throws {
            guard all == (request == nil) else { throw ValidationError("either a request's id or --all") }
        }

        func run() throws {
            let directory = try options.settingsWithoutSecrets().text(.runDirectory)
            let identifier = request.flatMap(PoisonRecord.identifier)
            guard all || identifier != nil else {
                throw CommandError(.dataError, "a request's id is 32 hex digits; see mesher poison list")
            }
            let isMeant: (Suspect) -> Bool = { $0.isPoison && (identifier == nil || $0.request == identifier) }
            guard let count = ScoreboardFile.forget(in: directory, isMeant) else {
                throw PoisonCommand.noService(directory)
            }
            guard all || count > 0 else { throw CommandError(.dataError, "no such request; see mesher poison list") }
            print(count == 1 ? "1 request forgotten" : "\(count) requests forgotten")
        }
    }

    private static func noService(_ directory: String) -> CommandError {
        let path = ScoreboardFile.path(in: directory)
        return access(path, F_OK) == 0 && access(path, R_OK | W_OK) != 0
            ? CommandError(.notPermitted, "\(path): run this as root or as the service's user")
            : CommandError(.unavailable, "\(directory): no watchdog of this release has run there")
    }
}
