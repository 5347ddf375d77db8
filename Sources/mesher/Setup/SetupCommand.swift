internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import System
internal import TLS

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
    @OptionGroup var encryption: EncryptionOptions
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
        let questions = SetupQuestions(encryption, asks: !yes)
        var answers = try answers(questions)
        let superuser = Superuser(url: try superuserURL(questions, answers.encryption), user: superuser)
        let facts = try SetupSurvey(answers, superuser, createsRoles: ownerURL == nil).facts()
        if SetupPlan(answers, facts).lacksCertificate { answers.certificate = try questions.certificate(answers.site) }
        let steps = try SetupPlan(answers, facts, ownerURL: ownerURL, storageURL: storageURL).steps()
        if dryRun || !yes {
            for (index, step) in steps.enumerated() {
                print("\(index + 1)  " + step.lines.joined(separator: "\n   "))
            }
        }
        if dryRun { return }
        guard try yes || questions.isAgreed() else {
            throw CommandError(.usage, "nothing was done; --yes does it, --dry-run only prints the steps")
        }
        try perform(steps, SetupRun(answers, superuser, authorities: authorities.path))
        if !facts.hasSystemd { print("systemd does not run here: docs/installing.md has the start without it") }
        print("for the other commands: export MESHER_DATABASE_URL_FILE=\(SetupFiles.ownerURL)")
    }

    private func perform(_ steps: [SetupStep], _ run: SetupRun) throws {
        var run = run
        for (index, step) in steps.enumerated() {
            print("\(index + 1)  \(step.lines.first ?? "")")
            fflush(nil)
            try run.perform(step)
        }
        if let dsn = run.dsn { print("DSN  \(dsn)") }
    }

    private func superuserURL(_ questions: SetupQuestions, _ encryption: DatabaseEncryption) throws -> String? {
        guard ownerURL == nil, let url = try questions.superuser(superuserURL) else { return superuserURL }
        return try encryption.applied(to: url)
    }

    private func answers(_ questions: SetupQuestions) throws -> SetupAnswers {
        let configured = try Settings(environment: [:], readsSecretFiles: false)
        var url = publicURL
        if url == nil, configured.origin(.publicURL) != .default { url = configured.text(.publicURL) }
        let named = try questions.publicURL(url)
        var pair: SetupAnswers.Certificate?
        if let certificate, let certificateKey {
            pair = .init(file: certificate, key: certificateKey)
            try ServiceFiles.check(.init(authorities: "", certificate: certificate, key: certificateKey), readBy: nil)
        }
        var answers = SetupAnswers(
            publicURL: named.url, site: named.site, database: database, project: project, setsPasswords: setPasswords,
            certificate: pair, writesNginx: nginx)
        answers.encryption = try questions.encryption(storageURL ?? superuserURL)
        if let redis = try questions.redis() {
            (answers.redis, answers.redisFiles) = (redis.url, redis.files)
            try questions.check(redis.url, redis.files)
        }
        return answers
    }
}
