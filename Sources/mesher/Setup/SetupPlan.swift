internal import Configuration
internal import PostgreSQL

/// Decides what `mesher setup` has to do: nothing that is there already, and nothing to what others have made.
struct SetupPlan {
    private let answers: SetupAnswers
    private let facts: SetupFacts
    /// URLs that were given for roles of others, which this does not create.
    private let ownerURL: String?
    private let storageURL: String?
    private let makePassword: () -> String

    /// - Parameters:
    ///   - ownerURL: of a role that exists, together with `storageURL`; nil for roles of our own.
    ///   - makePassword: a new password, which needs no quotes anywhere.
    init(
        _ answers: SetupAnswers, _ facts: SetupFacts, ownerURL: String? = nil, storageURL: String? = nil,
        makePassword: @escaping () -> String = APIKey.generate
    ) {
        self.answers = answers
        self.facts = facts
        self.ownerURL = ownerURL
        self.storageURL = storageURL
        self.makePassword = makePassword
    }

    /// The steps in their order.
    ///
    /// - Throws: `CommandError` when something is in the way; then nothing at all should be done.
    func steps() throws(CommandError) -> [SetupStep] {
        let nginx = try nginx()
        let before = try accounts() + database() + configuration()
        // Without systemd there is nobody yet who could take an event.
        let event: [SetupStep] = facts.hasSystemd ? [.event] : []
        return before + [.migrate] + nginx + service() + [.project(answers.project)] + event
    }

    private func accounts() -> [SetupStep] {
        if facts.hasUser { return [] }
        return [["systemd-sysusers", "mesher.conf"], ["systemd-tmpfiles", "--create", "mesher.conf"]].map {
            .command($0)
        }
    }

    /// The secret files come before the roles: what was cut off in between goes on with the passwords in the files.
    private func database() throws(CommandError) -> [SetupStep] {
        let owner = try login(SetupStep.owner, SetupFiles.ownerURL, given: ownerURL, mode: 0o600, group: "root")
        let storage = try login(
            SetupStep.storage, SetupFiles.storageURL, given: storageURL, mode: 0o640, group: "mesher")
        guard let database = facts.database else { return owner + storage }
        var steps = owner + storage
        if !database.roles.contains(SetupStep.runtime) { steps.append(.runtimeRole) }
        if !database.isMember { steps.append(.membership) }
        switch database.databases[answers.database] {
        case nil: steps.append(.database(answers.database))
        case SetupStep.owner: break
        case let other?:
            throw CommandError(
                .dataError, "the database \(answers.database) belongs to \(other): name another with --database")
        }
        return steps
    }

    /// A role and the file with its URL.
    private func login(
        _ role: String, _ path: String, given: String?, mode: UInt32, group: String
    ) throws(CommandError) -> [SetupStep] {
        let file = facts.files[path]
        if let given = try given.map(encrypted) {
            guard let file else { return [.file(path, text: given + "\n", mode: mode, group: group)] }
            if file == given + "\n" { return [] }
            throw CommandError(.dataError, "\(path) has another URL: change it there")
        }
        guard let database = facts.database else { return [] }
        let exists = database.roles.contains(role)
        if let file, !answers.setsPasswords {
            if exists { return [] }
            guard let password = (try? ConnectionURL(file.filter { $0 != "\n" }))?.password else {
                throw CommandError(
                    .dataError, "\(path) has no password, and PostgreSQL has no role \(role): move the file away")
            }
            return [.role(role, password: password, exists: false)]
        }
        guard !exists || answers.setsPasswords else {
            throw CommandError(
                .dataError,
                "the role \(role) exists, but not \(path): write its URL there, or give it a new password with --set-passwords"
            )
        }
        let password = makePassword()
        let plain = "postgresql://\(role):\(password)@\(database.place)/\(answers.database)"
        let url = try encrypted(plain) + "\n"
        return [
            .file(path, text: url, mode: mode, group: group), .role(role, password: password, exists: exists),
        ]
    }

    private func encrypted(_ url: String) throws(CommandError) -> String {
        do throws(DatabaseError) {
            return try answers.encryption.applied(to: url)
        } catch {
            throw CommandError(.usage, error.message)
        }
    }

    private func configuration() throws(CommandError) -> [SetupStep] {
        let text = facts.files[SetupFiles.configuration] ?? ""
        let chosen =
            [(name: Setting.publicURL.name, value: answers.publicURL)]
            + (answers.redis?.settings(answers.redisFiles) ?? [])
        for (name, value) in chosen {
            guard let present = SetupFiles.value(of: name, in: text), present != value else { continue }
            throw CommandError(
                .dataError, "\(SetupFiles.configuration) has \(name)=\(present): change it there first")
        }
        var settings = [(name: Setting.storageDatabaseURL.name + "_FILE", value: SetupFiles.storageURL)] + chosen
        var steps: [SetupStep] = []
        if let password = answers.redis?.password, !password.isEmpty {
            let path = SetupFiles.redisPassword
            settings.append((Setting.redisPassword.name + "_FILE", path))
            guard [nil, password + "\n"].contains(facts.files[path]) else {
                throw CommandError(.dataError, "\(path) has another password: change it there")
            }
            if facts.files[path] == nil {
                steps.append(.file(path, text: password + "\n", mode: 0o640, group: "mesher"))
            }
        }
        if let changed = SetupFiles.adding(settings, to: text) {
            steps.append(.file(SetupFiles.configuration, text: changed, mode: 0o640, group: "mesher"))
        }
        if facts.files[SetupFiles.maintenance] == nil, facts.hasSystemd {
            steps.append(
                .file(SetupFiles.maintenance, text: SetupFiles.maintenanceText, mode: 0o644, group: "root"))
        }
        return steps
    }

    /// Whether a server has to be written that needs a certificate, and none is named.
    var lacksCertificate: Bool {
        guard answers.site.isEncrypted, answers.certificate == nil, let nginx = facts.nginx else { return false }
        return !NginxSite.serves(nginx.text) && facts.files[NginxSite.path] == nil
            && !NginxSite.names(answers.site.host, in: nginx.text)
    }

    private func nginx() throws(CommandError) -> [SetupStep] {
        guard let nginx = facts.nginx, !NginxSite.serves(nginx.text) else { return [] }
        let site = NginxSite(site: answers.site, certificate: answers.certificate, share: facts.share)
        if facts.files[NginxSite.path] != nil {
            throw CommandError(.dataError, "\(NginxSite.path) is there, and has no server for Mesher: move it away")
        }
        if NginxSite.names(answers.site.host, in: nginx.text) {
            throw CommandError(
                .dataError,
                """
                nginx already has a server \(answers.site.host). Add this line before it:
                    include \(facts.share)/mesher-http.conf;
                and these within it, then run mesher setup again:
                    \(site.includes.joined(separator: "\n    "))
                """)
        }
        guard !answers.site.isEncrypted || answers.certificate != nil else {
            throw CommandError(
                .usage,
                "\(answers.publicURL) needs --certificate and --certificate-key, or --no-nginx and a server of yours")
        }
        let reload = facts.hasSystemd ? ["systemctl", "reload", "nginx"] : ["nginx", "-s", "reload"]
        return [.nginx(NginxSite.path, text: site.text(hasIPv6: nginx.hasIPv6)), .command(reload)]
    }

    private func service() -> [SetupStep] {
        guard facts.hasSystemd else { return [] }
        let units = ["mesher.socket", "mesher.service", "mesher-maintenance.timer"]
        let start: [SetupStep] = [
            .command(["systemctl", "daemon-reload"]), .command(["systemctl", "enable", "--now"] + units),
        ]
        // It has read its configuration before.
        return facts.isRunning ? start + [.command(["systemctl", "reload", "mesher.service"])] : start
    }
}
