internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import TLS

/// Asks for what was not given. Each answer is looked at before the next question, and what was given before anything is written.
struct SetupQuestions {
    /// The CAs that Debian trusts.
    private static let system = "/etc/ssl/certs/ca-certificates.crt"

    let options: EncryptionOptions
    /// Whether somebody is there who can be asked.
    private let isThere: Bool

    /// - Parameter asks: whether to ask if there is a terminal.
    init(_ options: EncryptionOptions, asks: Bool) {
        self.options = options
        isThere = asks && Terminal.isThere
    }

    /// - Parameter given: by a flag or the configuration; nil to ask, with this host's name as the default.
    func publicURL(_ given: String?) throws(CommandError) -> (url: String, site: SetupAnswers.Site) {
        func accept(_ url: String) throws(CommandError) -> (String, SetupAnswers.Site) {
            if let site = SetupAnswers.Site(url) { return (url, site) }
            throw CommandError(.usage, "--public-url has to be http://HOST[:PORT] or https://HOST[:PORT]")
        }
        guard given == nil, isThere else { return try accept(given ?? "") }
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let suggested = "http://\(host)"
        return try Terminal.ask(
            "Where will senders reach Mesher, http://HOST or https://HOST?",
            default: SetupAnswers.Site(suggested) == nil ? "" : suggested,
            accept: accept)
    }

    /// How PostgreSQL is reached.
    ///
    /// - Parameter url: the one that says whether over TLS; nil for this host's socket.
    func encryption(_ url: String?) throws(CommandError) -> DatabaseEncryption {
        let parsed: ConnectionURL?
        do throws(DatabaseError) {
            parsed = try url.map { text throws(DatabaseError) in try ConnectionURL(text) }
        } catch {
            throw CommandError(.usage, error.message)
        }
        var found = DatabaseEncryption(
            parsed, authorities: options.databaseCA, certificate: options.databaseCertificate, key: options.databaseKey)
        try ServiceFiles.check(found.files)
        try ServiceFiles.checkDatabaseKey(found.key)
        guard isThere, found.isWanted else { return found }
        if found.authorities.isEmpty {
            // Who asked for TLS only may go without.
            found.authorities = try authorities("PostgreSQL", default: found.isVerified ? Self.system : "")
        }
        if found.certificate.isEmpty, parsed?["sslcert"] == nil {
            (found.certificate, found.key) = try pair("PostgreSQL") { key throws(CommandError) in
                try ServiceFiles.checkDatabaseKey(key)
            }
        }
        return found
    }

    /// Where Redis is, and what TLS to it needs.
    func redis() throws(CommandError) -> (url: RedisURL, files: TLSContext.Files)? {
        guard let text = options.redisURL else { return nil }
        guard var url = RedisURL(text) else {
            throw CommandError(
                .usage, "--redis-url has to be redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS")
        }
        if isThere, !url.user.isEmpty, url.password.isEmpty {
            url.password = try password("Password of \(url.user) at Redis, which is not shown")
        }
        var files = TLSContext.Files(
            authorities: options.redisCA ?? "", certificate: options.redisCertificate ?? "", key: options.redisKey ?? ""
        )
        try ServiceFiles.check(files)
        guard isThere, url.isEncrypted else { return (url, files) }
        let authorities = files.authorities.isEmpty ? try authorities("Redis", default: Self.system) : files.authorities
        var own = (files.certificate, files.key)
        if own.0.isEmpty { own = try pair("Redis") { _ throws(CommandError) in } }
        files = TLSContext.Files(authorities: authorities, certificate: own.0, key: own.1)
        return (url, files)
    }

    /// Whether to go on with the steps that were shown.
    func isAgreed() throws(CommandError) -> Bool {
        guard isThere else { return false }
        return try Terminal.ask("Do this? y or n", default: "n") { answer throws(CommandError) in
            switch answer.lowercased() {
            case "y", "yes": true
            case "n", "no": false
            default: throw CommandError(.usage, "y does it, n does nothing")
            }
        }
    }

    /// Tries Redis as the service will, with the words of `mesher check`.
    func check(_ url: RedisURL, _ files: TLSContext.Files) throws {
        var variables = [Setting.redisPassword.name: url.password]
        for (name, value) in url.settings(files) { variables[name] = value }
        let settings = try Settings(environment: variables, readsSecretFiles: false)
        if let fault = RedisCheck(settings).findings().first(where: \.isFault) {
            throw CommandError(.unavailable, "Redis: \(fault.text); \(fault.advice ?? "")")
        }
    }

    /// A superuser's URL with a password, where it names another host and has none.
    func superuser(_ url: String?) throws(CommandError) -> String? {
        guard isThere, let url, let parsed = try? ConnectionURL(url), parsed.password == nil,
            parsed["sslcert"] == nil, parsed["passfile"] == nil, getenv("PGPASSWORD") == nil,
            parsed.servers.contains(where: { !$0.host.isEmpty && !$0.host.hasPrefix("/") })
        else { return url }
        let password = try password("Password of PostgreSQL's superuser, which is not shown; empty for none")
        return password.isEmpty ? url : url.withParameter("password", password)
    }

    /// What nginx needs for `https`. It reads them as root.
    func certificate(_ site: SetupAnswers.Site) throws(CommandError) -> SetupAnswers.Certificate? {
        guard isThere else { return nil }
        // Where Certbot puts them.
        let folder = "/etc/letsencrypt/live/\(site.host)"
        let hasFolder = access("\(folder)/fullchain.pem", R_OK) == 0
        let file = try Terminal.ask(
            "Certificate of \(site.host) (PEM file)", default: hasFolder ? "\(folder)/fullchain.pem" : ""
        ) { path throws(CommandError) in
            guard !path.isEmpty else { throw CommandError(.usage, "nginx needs one for https; Ctrl-C ends this") }
            try ServiceFiles.check(certificate: path, readBy: nil)
            return path
        }
        let key = try Terminal.ask("Its private key", default: hasFolder ? "\(folder)/privkey.pem" : "") {
            path throws(CommandError) in
            try ServiceFiles.check(TLSContext.Files(authorities: "", certificate: file, key: path), readBy: nil)
            return path
        }
        return SetupAnswers.Certificate(file: file, key: key)
    }

    private func password(_ question: String) throws(CommandError) -> String {
        try Terminal.ask(question, isSecret: true) { $0 }
    }

    private func authorities(_ server: String, default path: String) throws(CommandError) -> String {
        try Terminal.ask(
            "CA of \(server)'s certificate (PEM file\(path.isEmpty ? ", empty to verify nothing" : ""))", default: path
        ) { path throws(CommandError) in
            try ServiceFiles.check(TLSContext.Files(authorities: path))
            return path
        }
    }

    private func pair(
        _ server: String, _ checkKey: (String) throws(CommandError) -> Void
    ) throws(CommandError) -> (String, String) {
        let certificate = try Terminal.ask("Client certificate for \(server) (PEM file, empty for none)") {
            path throws(CommandError) in
            if !path.isEmpty { try ServiceFiles.check(certificate: path) }
            return path
        }
        if certificate.isEmpty { return ("", "") }
        let key = try Terminal.ask("Its private key") { path throws(CommandError) in
            try ServiceFiles.check(TLSContext.Files(authorities: "", certificate: certificate, key: path))
            try checkKey(path)
            return path
        }
        return (certificate, key)
    }
}
