internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import System

/// `mesher setup`: from the installed programs to a first accepted event.
struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Create the database, write the configuration, start the service and send a first event.",
        discussion: """
            Run it as root on a host that has nginx, with PostgreSQL there or elsewhere. It shows each step and asks before the \
            first one. It creates two roles with passwords of their own and a database, writes /etc/mesher, adds a server to \
            nginx and tests it, and enables the units. Run it again after a fault: it does what is missing. What others have made \
            it does not change; it says what is in the way, and what to do about it.
            """)

    @Option(help: "Where senders will reach Mesher, such as https://errors.example.com.") var publicURL: String?
    @Option(help: "Name of the database.") var database = "mesher"
    @Option(help: "URL of a superuser of PostgreSQL, instead of its local socket.") var superuserURL: String?
    @Option(help: "The operating system's user who is PostgreSQL's superuser.") var superuser = "postgres"
    @Option(help: "URL of a role that owns the database, instead of a new role.") var ownerURL: String?
    @Option(help: "URL of a role that is a member of mesher_runtime, instead of a new role.") var storageURL: String?
    @Flag(help: "Give roles that exist a new password.") var setPasswords = false
    @Option(help: "Certificate (PEM) of the server, for https.", completion: .file()) var certificate: String?
    @Option(help: "Its private key.", completion: .file()) var certificateKey: String?
    @Flag(inversion: .prefixedNo, help: "Add a server to nginx.") var nginx = true
    @Option(help: "Name of the first project.") var project = "First project"
    @Flag(help: "Only print the steps.") var dryRun = false
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var authorities: AuthorityOptions

    func validate() throws {
        guard (certificate == nil) == (certificateKey == nil) else {
            throw ValidationError("--certificate and --certificate-key belong together")
        }
        guard (ownerURL == nil) == (storageURL == nil) else {
            throw ValidationError("--owner-url and --storage-url belong together")
        }
        guard Slug.make(from: project) != nil else { throw ValidationError("--project needs a letter from a to z") }
    }

    func run() throws {
        guard geteuid() == 0 else { throw CommandError(.notPermitted, "mesher setup has to be run by root") }
        let answers = try answers()
        let superuser = Superuser(url: superuserURL, user: superuser)
        let facts = try SetupSurvey(answers, superuser, createsRoles: ownerURL == nil).facts()
        let steps = try SetupPlan(answers, facts, ownerURL: ownerURL, storageURL: storageURL).steps()
        if dryRun || !yes {
            for (index, step) in steps.enumerated() {
                print("\(index + 1)  " + step.lines.joined(separator: "\n   "))
            }
        }
        if dryRun { return }
        guard yes || Self.ask("Do this? [y/N]").lowercased().hasPrefix("y") else {
            throw CommandError(.usage, "nothing was done; --yes does it, --dry-run only prints the steps")
        }
        var run = SetupRun(answers, superuser, authorities: authorities.path)
        for (index, step) in steps.enumerated() {
            print("\(index + 1)  \(step.lines.first ?? "")")
            fflush(nil)
            try run.perform(step)
        }
        if let dsn = run.dsn { print("DSN  \(dsn)") }
        if !facts.hasSystemd { print("systemd does not run here: docs/installing.md has the start without it") }
        print("for the other commands: export MESHER_DATABASE_URL_FILE=\(SetupFiles.ownerURL)")
    }

    /// What a person types; nothing where there is none.
    private static func ask(_ question: String) -> String {
        guard isatty(STDIN_FILENO) == 1 else { return "" }
        print(question, terminator: " ")
        fflush(nil)
        return readLine() ?? ""
    }

    private func answers() throws -> SetupAnswers {
        let configured = try Settings(environment: [:], readsSecretFiles: false)
        var url = publicURL
        if url == nil, configured.origin(.publicURL) != .default { url = configured.text(.publicURL) }
        let publicURL = url ?? Self.ask("Where will senders reach Mesher? (http://HOST or https://HOST)")
        guard let site = SetupAnswers.Site(publicURL) else {
            throw CommandError(.usage, "--public-url has to be http://HOST[:PORT] or https://HOST[:PORT]")
        }
        var pair: SetupAnswers.Certificate?
        if let certificate, let certificateKey { pair = .init(file: certificate, key: certificateKey) }
        return SetupAnswers(
            publicURL: publicURL, site: site, database: database, project: project, setsPasswords: setPasswords,
            certificate: pair, writesNginx: nginx)
    }
}
