import Foundation
import TestServers
import Testing

/// The nginx of a stack, and its copies of the files that are shipped.
struct Nginx {
    private let stack: Stack

    init(of stack: Stack) {
        self.stack = stack
    }

    /// The nginx.conf of another one, all of whose files are below its prefix.
    ///
    /// - Parameter http: what stands in its block `http`.
    static func configuration(_ http: String) -> String {
        """
        \(getuid() == 0 ? "user root;" : "")
        pid nginx.pid;
        error_log error.log;
        events {}
        http {
            client_body_temp_path body;
            fastcgi_temp_path fastcgi;
            proxy_temp_path proxy;
            scgi_temp_path scgi;
            uwsgi_temp_path uwsgi;
            access_log off;
            \(http)
        }
        """
    }

    /// Lets it work with another text in one of the files until `body` returns.
    func withChanged(_ file: String, replacing text: String, by other: String, _ body: () throws -> Void) throws {
        let path = stack.folder + "/nginx/" + file
        let shipped = try String(contentsOfFile: path, encoding: .utf8)
        let changed = shipped.replacingOccurrences(of: text, with: other)
        try #require(changed != shipped, "\(file) has \(text)")
        try changed.write(toFile: path, atomically: true, encoding: .utf8)
        defer {
            try? shipped.write(toFile: path, atomically: true, encoding: .utf8)
            try? reload()
        }
        try reload()
        try body()
    }

    /// Ends it and starts it again with other variables in its environment.
    func restart(environment: [String: String]) throws {
        let pidFile = stack.folder + "/sockets/nginx.pid"
        kill(try master(), SIGQUIT)
        try #require(eventually { access(pidFile, F_OK) != 0 })
        let prefix = stack.folder + "/nginx/"
        try Execution.output(
            ["nginx", "-p", prefix, "-c", prefix + "nginx.conf", "-e", "error.log"], environment: environment)
    }

    /// Lets it read its files again; what its old processes have in hand they finish.
    func hangUp() throws {
        kill(try master(), SIGHUP)
    }

    /// The processes that serve requests, also those that end after a reload.
    func workers() throws -> [pid_t] {
        try Processes.children(of: master())
    }

    private func master() throws -> pid_t {
        let text = try String(contentsOfFile: stack.folder + "/sockets/nginx.pid", encoding: .utf8)
        return try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// Returns when no process works with the old files any more.
    private func reload() throws {
        let master = try master()
        func workers() -> Set<pid_t> { Set(Processes.children(of: master)) }
        let before = workers()
        kill(master, SIGHUP)
        let areReplaced = eventually { !workers().isEmpty && workers().isDisjoint(with: before) }
        try #require(areReplaced)
    }
}
