internal import Foundation
internal import PostgreSQL

/// A private PostgreSQL in a folder of its own, on a unix socket; it ends, and its folder goes, when this is lost or the
/// test process ends in whatever way.
package final class PostgreSQLServer: Sendable {
    /// One for all the tests of a process that change nothing outside a database of their own.
    package static let shared = Result { try PostgreSQLServer() }

    /// The folder of the socket.
    package let folder: String
    private let supervisor: Process
    private let lifeline: Pipe

    /// Starts a server and waits until it answers, 60 s at most.
    package init() throws {
        let run = Process()
        let lifeline = Pipe()
        // A path that leaves room for the socket's name within the 107 bytes of unix(7).
        folder = "/tmp/mesher-pg.\(UInt32.random(in: .min ... .max))"
        let isRoot = geteuid() == 0
        run.executableURL = URL(fileURLWithPath: isRoot ? "/usr/bin/setpriv" : "/bin/sh")
        // PostgreSQL refuses to run as root.
        let asItself = isRoot ? ["--reuid=postgres", "--regid=postgres", "--init-groups", "/bin/sh"] : []
        run.arguments = asItself + ["-c", Self.script, "sh", folder]
        run.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        run.standardInput = lifeline
        run.standardOutput = FileHandle.nullDevice
        run.standardError = FileHandle.nullDevice
        try run.run()
        supervisor = run
        self.lifeline = lifeline
        try waitUntilItAnswers()
    }

    deinit {
        stop()
    }

    /// Ends the server and waits for that.
    package func stop() {
        try? lifeline.fileHandleForWriting.close()
        supervisor.waitUntilExit()
    }

    /// The URL of a database of this server.
    package func url(database: String = "postgres", user: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(folder)&user=\(user)"
    }

    /// Creates an empty database and returns its name.
    package func createDatabase() throws -> String {
        let name = "test_\(UInt32.random(in: .min ... .max))"
        let connection = try Connection.open(url(), applicationName: "tests")
        try connection.execute("CREATE DATABASE \(name)")
        return name
    }

    private func waitUntilItAnswers() throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        while true {
            do {
                _ = try Connection.open(url(), applicationName: "tests")
                return
            } catch {
                guard Date() < deadline, supervisor.isRunning else { throw error }
                usleep(20_000)
            }
        }
    }

    /// Lives until its standard input ends, which it does with the process that holds the other end.
    private static let script = """
        bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
        mkdir -m 700 "$1" && chmod 711 "$1" || exit 1
        trap 'rm -rf "$1"' EXIT
        trap '' INT TERM
        "$bin/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --no-sync --no-instructions || exit 1
        "$bin/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c log_min_messages=fatal </dev/null &
        cat
        kill -QUIT $!
        wait $!
        """
}
