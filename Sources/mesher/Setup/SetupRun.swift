internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import System

/// Carries out the steps of `mesher setup`.
struct SetupRun {
    let answers: SetupAnswers
    let superuser: Superuser
    let authorities: String?
    /// Where the first project's programs send; nil before its step.
    private(set) var dsn: DSN?

    init(_ answers: SetupAnswers, _ superuser: Superuser, authorities: String?) {
        self.answers = answers
        self.superuser = superuser
        self.authorities = authorities
    }

    mutating func perform(_ step: SetupStep) throws {
        switch step {
        case .role(let name, let password, let exists):
            let connection = try superuser.open()
            let encrypted = try connection.encrypted(password, for: name)
            try execute(.role(name, password: encrypted, exists: exists), on: connection)
        case .runtimeRole, .membership, .database: try execute(step, on: superuser.open())
        case .file(let path, let text, let mode, let group): try write(text, to: path, mode: mode, group: group)
        case .nginx(let path, let text): try configureNginx(path, text)
        case .migrate: try migrate()
        case .command(let words): try run(words)
        case .project(let name): try findProject(name)
        case .event: try send()
        }
    }

    private func execute(_ step: SetupStep, on connection: borrowing Connection) throws(DatabaseError) {
        if let statement = step.statement { try connection.execute(statement) }
    }

    /// Writes a file that appears complete, with its owner, or not at all.
    private func write(_ text: String, to path: String, mode: UInt32, group: String) throws {
        guard let entry = getgrnam(group) else { throw CommandError(.configuration, "this host has no group \(group)") }
        let owners = entry.pointee.gr_gid
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw SystemError("mkdir", folder) }
        let temporary = path + ".new"
        unlink(temporary)
        let number = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemError("open", temporary) }
        let file = Descriptor(adopting: number)
        var text = text
        let size = text.utf8.count
        guard text.withUTF8({ Glibc.write(file.number, $0.baseAddress, $0.count) }) == size else {
            throw SystemError("write", temporary)
        }
        guard fchown(file.number, 0, owners) == 0 else { throw SystemError("fchown", temporary) }
        guard fchmod(file.number, mode) == 0 else { throw SystemError("fchmod", temporary) }
        guard fsync(file.number) == 0 else { throw SystemError("fsync", temporary) }
        guard rename(temporary, path) == 0 else { throw SystemError("rename", path) }
    }

    private func configureNginx(_ path: String, _ text: String) throws {
        try write(text, to: path, mode: 0o644, group: "root")
        // Tests it, and prints what is in force.
        let trial = try HostCommand.run(["nginx", "-T"])
        if trial.status == 0, NginxSite.serves(trial.output) { return }
        // The plan has seen that it was not there.
        unlink(path)
        let reason = trial.status == 0 ? "nginx.conf does not include it" : trial.output
        throw CommandError(.configuration, "nginx does not take \(path), which is gone again: \(reason)")
    }

    private func run(_ words: [String]) throws {
        let command = try HostCommand.run(words)
        guard command.status == 0 else {
            let hint = words.contains("mesher.service") ? "\nmesher check, and journalctl -u mesher, say more" : ""
            throw CommandError(
                .unavailable, "\(words.joined(separator: " ")) ended with \(command.status): \(command.output)\(hint)")
        }
    }

    private func settings() throws -> Settings {
        try Settings(environment: [Setting.databaseURL.name + "_FILE": SetupFiles.ownerURL])
    }

    private func migrate() throws {
        let settings = try settings()
        let connection = try Connection.open(settings.text(.databaseURL), applicationName: "mesher setup")
        try connection.execute("SET jit = off")
        _ = try Migrator().migrate(connection)
        try Rights.restore(on: connection)
        try ProjectIDs.advance(on: connection)
        _ = try Partition.makeAhead(on: connection)
        if let fault = StorageRoleCheck(settings).findings().first(where: \.isFault) {
            throw CommandError(.configuration, "\(fault.subject): \(fault.text); \(fault.advice ?? "")")
        }
    }

    private mutating func findProject(_ name: String) throws {
        guard let slug = Slug.make(from: name) else { return }
        let settings = try settings()
        let connection = try Connection.open(settings.text(.databaseURL), applicationName: "mesher setup")
        if let project = try Project.all(on: connection).first(where: { $0.slug == slug }) {
            let keys = try ProjectKey.all(of: project.id, on: connection)
            guard let key = keys.first(where: { $0.revokedAt == nil }) else {
                throw CommandError(.dataError, "\(slug) has no valid key: mesher key create \(slug)")
            }
            dsn = try DSN(publicURL: answers.publicURL, key: key.key, project: project.id)
            return
        }
        _ = try OrganizationCommand.create(OrganizationCommand.fallback, on: connection)
        let key = APIKey.generate()
        let id = try Project.create(
            slug: slug, organization: OrganizationCommand.fallback, key: key,
            beyond: SeenProjects.highest(settings), on: connection)
        dsn = try DSN(publicURL: answers.publicURL, key: key, project: id)
    }

    /// The service may just have started, and a new key takes a second to arrive: what may pass is tried again for a minute.
    private func send() throws {
        guard let dsn else { return }
        let client = try HTTPClient.open(
            dsn.eventsURL,
            headers: [
                "Content-Type: application/json", "X-Sentry-Auth: Sentry sentry_key=\(dsn.key), sentry_version=7",
            ],
            authorities: authorities, through: answers.writesNginx ? "127.0.0.1" : nil)
        let deadline = Clock.monotonic() + 60_000_000_000
        while true {
            var refusal = ""
            do throws(CommandError) {
                let answer = try client.post(#"{"message":"Hello from mesher setup","level":"info","logger":"mesher"}"#)
                if answer.status == 202 {
                    return print("202 accepted \(ServerAnswer(answer.body)?.id ?? "")")
                }
                refusal = "\(answer.status) \(ServerAnswer(answer.body)?.error ?? "")"
            } catch {
                refusal = error.description
            }
            guard Clock.monotonic() < deadline else {
                throw CommandError(.unavailable, "\(dsn.eventsURL): \(refusal); mesher check says what is wrong")
            }
            usleep(200_000)
        }
    }
}
