internal import Glibc
internal import PostgreSQL

/// A private PostgreSQL on a unix socket, whose superuser is `postgres`.
package final class PostgreSQLServer: Sendable {
    /// One for all the tests of a process that change nothing outside a database of their own.
    package static let shared = Result { try PostgreSQLServer() }

    private let script: SupervisedScript

    /// Starts a server and waits until it answers, 60 s at most.
    package init() throws {
        // PostgreSQL refuses to run as root.
        script = try SupervisedScript(Self.start, name: "pg", user: "postgres", signal: "QUIT")
        let deadline = time(nil) + 60
        while true {
            do {
                _ = try Connection.open(url(), applicationName: "tests")
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
        script.stop()
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

    private static let start = """
        bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
        "$bin/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --no-sync --no-instructions || exit 1
        "$bin/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c log_min_messages=fatal </dev/null &
        """
}
