internal import Glibc
internal import PostgreSQL

/// A private PostgreSQL on a unix socket, whose superuser is `postgres`.
package final class PostgreSQLServer: Sendable {
    /// One for all the tests of a process that change nothing outside a database of their own.
    package static let shared = Result { try PostgreSQLServer() }

    private let script: SupervisedScript
    /// Of 127.0.0.1, where it listens with TLS; nil when only its socket is there.
    private let port: Int?

    /// Starts a server of its own and waits until it answers.
    package convenience init() throws {
        try self.init(making: Self.newCluster)
    }

    /// Starts a server that also listens on the loopback interface, with TLS. The key must be `postgres`'s.
    package convenience init(certificate: CertificateAuthority.Signed) throws {
        let port = LoopbackPort.free()
        try self.init(
            making: Self.newCluster, port: port,
            options: """
                -c listen_addresses=127.0.0.1 -p \(port) -c ssl=on -c ssl_cert_file=\(certificate.certificate) \
                -c ssl_key_file=\(certificate.key)
                """)
    }

    /// Starts a server that follows another by streaming replication and takes no writes until it is promoted.
    package convenience init(standbyOf primary: PostgreSQLServer) throws {
        try self.init(making: "pg_basebackup -D $1/data -h \(primary.folder) -U postgres -R -c fast --no-sync")
    }

    /// Waits until the server answers, 300 s at most.
    ///
    /// - Parameter command: makes the data folder, `$1/data`, by one of PostgreSQL's programs.
    private init(making command: String, port: Int? = nil, options: String = "-c listen_addresses=") throws {
        self.port = port
        // PostgreSQL refuses to run as root.
        let start =
            "PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH\n\(command) || exit 1\n" + Self.start(options)
        script = try SupervisedScript(start, name: "pg", user: "postgres", signal: "QUIT")
        let deadline = time(nil) + 300
        while true {
            do {
                _ = try Connection.open(url() + "&target_session_attrs=any", applicationName: "tests")
                return
            } catch {
                guard time(nil) < deadline, script.isRunning else { throw error }
                usleep(20_000)
            }
        }
    }

    /// The folder of the socket.
    package var folder: String { script.folder }

    /// Ends the server and waits for that.
    package func stop() {
        signal(SIGCONT)
        script.stop()
    }

    /// Stops all its processes where they are, SIGSTOP, or lets them go on, SIGCONT.
    package func signal(_ signal: CInt) {
        guard let file = fopen(folder + "/data/postmaster.pid", "r") else { return }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 32)
        guard fgets(&line, 32, file) != nil else { return }
        let postmaster = pid_t(atoi(line))
        kill(postmaster, signal)
        guard let children = fopen("/proc/\(postmaster)/task/\(postmaster)/children", "r") else { return }
        defer { fclose(children) }
        var list = [CChar](repeating: 0, count: 4096)
        guard fgets(&list, 4096, children) != nil else { return }
        let text = String(decoding: list.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for child in text.split(separator: " ").compactMap({ pid_t($0) }) { kill(child, signal) }
    }

    /// The URL of a database of this server.
    package func url(database: String = "postgres", user: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(folder)&user=\(user)" + (port.map { "&port=\($0)" } ?? "")
    }

    /// The URL of a database over TLS, which takes a certificate of this CA alone, and for `localhost`.
    package func url(database: String = "postgres", user: String = "postgres", trusting authority: String) -> String {
        "postgresql://\(user)@localhost:\(port ?? 0)/\(database)?sslmode=verify-full&sslrootcert=\(authority)"
    }

    /// Lets the server read its configuration and its certificate again. Its sessions go on with what they have.
    package func reload() throws {
        _ = try Connection.open(url(), applicationName: "tests").query("SELECT pg_reload_conf()")
    }

    /// Creates an empty database and returns its name.
    package func createDatabase() throws -> String {
        let name = "test_\(UInt32.random(in: .min ... .max))"
        let connection = try Connection.open(url(), applicationName: "tests")
        try connection.execute("CREATE DATABASE \(name)")
        return name
    }

    private static let newCluster = "initdb -D $1/data -U postgres -A trust -E UTF8 --no-sync --no-instructions"

    private static func start(_ options: String) -> String {
        #"postgres -D "$1/data" -k "$1" \#(options) -c fsync=off -c log_min_messages=fatal </dev/null &"#
    }
}
