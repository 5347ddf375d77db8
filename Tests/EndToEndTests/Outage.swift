import Foundation
import TestServers

/// Takes the servers of a stack away and brings them back.
struct Outage {
    let stack: Stack

    private var sockets: String {
        URL(fileURLWithPath: stack["MESHER_REDIS_SOCKET"]).deletingLastPathComponent().path
    }

    /// Ends PostgreSQL as a crash would.
    func stopPostgreSQL() throws {
        try control("--mode=immediate", "stop")
    }

    func startPostgreSQL() throws {
        try control("--options=-k \(sockets)/postgresql -c listen_addresses=", "--log=/dev/null", "start")
    }

    /// Whether its first process lives.
    var isPostgreSQLRunning: Bool { (try? control("status")) != nil }

    /// Stops all its processes where they are, SIGSTOP, or lets them go on, SIGCONT.
    func signalPostgreSQL(_ signal: Int32) throws {
        let file = try Execution.output(["head", "-n", "1", stack["MESHER_PGDATA"] + "/postmaster.pid"])
        guard let postmaster = pid_t(file) else { return }
        for pid in [postmaster] + Processes.children(of: postmaster) { kill(pid, signal) }
    }

    private func control(_ arguments: String...) throws {
        let programs = try Execution.output(["sh", "-c", "ls -d /usr/lib/postgresql/*/bin | tail -n 1"])
        // PostgreSQL refuses to run as root.
        let user = geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
        try Execution.output(
            user + ["\(programs)/pg_ctl", "--pgdata=\(stack["MESHER_PGDATA"])", "--silent", "--wait"] + arguments)
    }

    private var redisPIDFile: String { sockets + "/redis.pid" }

    /// Sends a signal to Redis.
    func signalRedis(_ signal: Int32) throws {
        let text = try String(contentsOfFile: redisPIDFile, encoding: .utf8)
        if let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) { kill(pid, signal) }
    }

    /// Starts it again, without data.
    func startRedis(password: String = "") throws {
        let script = #"""
            redis-server --port 0 --unixsocket "$0" --save '' --daemonize yes --pidfile "$1" --requirepass "$2"
            """#
        try Execution.output(["sh", "-c", script, stack["MESHER_REDIS_SOCKET"], redisPIDFile, password])
        // Until then the file has the number of its predecessor.
        let authentication = password.isEmpty ? [] : ["--no-auth-warning", "-a", password]
        let question = ["redis-cli", "-s", stack["MESHER_REDIS_SOCKET"]] + authentication + ["PING"]
        guard eventually({ (try? Execution.output(question)) == "PONG" }) else {
            throw Stack.Failure(description: "Redis does not answer")
        }
    }

    /// Runs redis-cli(1) and returns what it prints.
    @discardableResult
    func redis(_ words: String...) throws -> String {
        try Execution.output(["redis-cli", "-s", stack["MESHER_REDIS_SOCKET"]] + words)
    }

    /// Stops the watchdog with all its children, lets something happen, and starts it again; it ends when the result is
    /// lost.
    func restartMesher(_ change: () throws -> Void = {}) throws -> Execution.Running {
        if let watchdog = Processes(stack: stack).watchdog { kill(watchdog, SIGTERM) }
        let path = stack["MESHER_RUN_DIR"] + "/watchdog.pid"
        _ = eventually { !FileManager.default.fileExists(atPath: path) }
        try change()
        let command =
            "exec \(stack["MESHER_BIN"])/mesher-watchdog --config \(stack.folder)/mesher.conf "
            + "2>>\(stack.folder)/watchdog.log"
        return try Execution.Running("/bin/sh", ["-c", command])
    }

    /// Bytes that wait in the spool; nil when there is none, and not even its directory.
    func spooled() throws -> Int? {
        guard let output = try? stack.mesher("spool", "status", "--json") else { return nil }
        let status = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
        return status?["bytes"] as? Int
    }

    /// How many lines of the log have these words.
    func logLines(_ words: String) throws -> Int {
        let log = try String(contentsOfFile: stack.folder + "/watchdog.log", encoding: .utf8)
        return log.split(separator: "\n").count { $0.contains(words) }
    }
}
