internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Schema

/// What every command takes, and what it opens with it.
struct CommonOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "Configuration file, instead of \(Settings.path).")
    var configurationFile: String?

    /// - Throws: `Settings.Fault`.
    func settings() throws -> Settings {
        try Settings(file: configurationFile)
    }

    /// For commands that look at the running service only: whoever may do that may not read what `NAME_FILE` names. Nor may
    /// the reload of a service under systemd, which shows credentials to its main process alone.
    ///
    /// - Throws: `Settings.Fault`.
    func settingsWithoutSecrets() throws -> Settings {
        try Settings(file: configurationFile, readsSecretFiles: false)
    }

    /// A connection as the role that owns the schema, whatever version that has.
    ///
    /// - Throws: `Settings.Fault` or `DatabaseError`.
    func openDatabase() throws -> Connection {
        let connection = try Connection.open(settings().text(.databaseURL), applicationName: "mesher")
        // Over a hundred partitions compiling a plan takes seconds, running it milliseconds.
        try connection.execute("SET jit = off")
        return connection
    }

    /// A connection to a database whose schema is the one this program works with.
    ///
    /// - Throws: as `openDatabase`, and `SchemaError`.
    func openMigratedDatabase() throws -> Connection {
        let connection = try openDatabase()
        try Migrator().requireLatest(of: connection)
        return connection
    }
}

/// The certificate authorities that a command trusts for TLS to nginx.
struct AuthorityOptions: ParsableArguments {
    @Option(
        name: .customLong("ca-file"), help: "Certificates (PEM) of the authorities to trust, instead of the system's.",
        completion: .file())
    var path: String?

    func validate() throws {
        guard let path, access(path, R_OK) != 0 else { return }
        throw ValidationError("--ca-file \(path): \(String(cString: strerror(errno)))")
    }
}

/// How a command prints what it found.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON.")
    var isJSON = false
}
