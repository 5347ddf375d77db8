internal import ArgumentParser
internal import Configuration
internal import Glibc

/// The operator's command line: schema, projects, keys, events, and what is wrong when something is.
@main
struct Mesher: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesher",
        abstract: "Operate Mesher, the intake of error events.",
        discussion: """
            Settings come from /etc/mesher/mesher.conf (or --config FILE); the environment overrides them.

            Exit status, after sysexits(3): 0 done, 64 wrong usage, 65 no such thing or it already exists, 69 a server cannot \
            be reached, 70 a defect, 75 try again later, 77 not permitted, 78 wrong configuration or schema.
            """,
        version: "mesher \(Release.version)",
        subcommands: [
            SetupCommand.self, DatabaseCommand.self, OrganizationCommand.self, ProjectCommand.self, KeyCommand.self,
            EventsCommand.self,
            SpoolCommand.self, QuarantineCommand.self, PoisonCommand.self, SendCommand.self, StreamCommand.self,
            ConfigCommand.self, CheckCommand.self, StatusCommand.self, SessionsCommand.self, ReloadCommand.self,
            DrainCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            guard let status = ExitStatus(of: error) else { exit(withError: error) }
            writeError("mesher: \(error)\n")
            Glibc.exit(status.rawValue)
        }
    }
}

/// Writes to standard error. The corresponding C function is `write`.
func writeError(_ text: String) {
    var text = text
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
