import Foundation
import TestServers
import Testing

/// A second host beside that of a stack, with a Mesher and an nginx of its own and the same PostgreSQL, and an nginx before
/// both which tries the second when the first does not answer in time. To the hosts its address is 127.0.0.2.
final class Front {
    static let address = "127.0.0.2"

    /// Where clients reach it.
    let port: Int
    let secondPort: Int
    private let stack: Stack
    private let folder: String
    private let watchdog: Execution.Running
    private var running: [Execution.Running] = []

    /// - Parameter isBelieved: whether the hosts' nginx believe the front's id and time.
    init(of stack: Stack, isBelieved: Bool) throws {
        self.stack = stack
        port = stack.port + 3
        secondPort = stack.port + 2
        folder = stack.folder + "/second"
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/run", withIntermediateDirectories: true)
        try files.createDirectory(
            atPath: folder + "/state", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        for name in ["/nginx", "/front"] {
            try files.createDirectory(atPath: folder + name, withIntermediateDirectories: false)
        }
        let settings = try String(contentsOfFile: stack.folder + "/mesher.conf", encoding: .utf8)
        let own = settings.split(separator: "\n").filter { !$0.hasPrefix("MESHER_STREAM_ADDRESS=") }.joined(
            separator: "\n"
        )
        .replacingOccurrences(of: stack["MESHER_RUN_DIR"], with: folder + "/run")
        .replacingOccurrences(of: stack["MESHER_STATE_DIR"], with: folder + "/state")
        try Data((own + "\n").utf8).write(to: URL(fileURLWithPath: folder + "/mesher.conf"))
        watchdog = try Execution.Running(
            stack["MESHER_BIN"] + "/mesher-watchdog", ["--config", folder + "/mesher.conf"])
        let shipped = stack.folder + "/nginx"
        let sockets = URL(fileURLWithPath: stack["MESHER_RUN_DIR"]).deletingLastPathComponent().path
        for name in try files.contentsOfDirectory(atPath: shipped) where name.hasSuffix(".conf") {
            let text = try String(contentsOfFile: "\(shipped)/\(name)", encoding: .utf8)
                .replacingOccurrences(of: stack["MESHER_RUN_DIR"], with: folder + "/run")
                .replacingOccurrences(of: sockets + "/nginx.pid", with: folder + "/nginx/nginx.pid")
                .replacingOccurrences(of: "127.0.0.1:\(stack.port);", with: "127.0.0.1:\(secondPort);")
                .replacingOccurrences(of: "include mesher-operator.conf;", with: "")
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/nginx/\(name)"))
        }
        let believed = isBelieved ? "\(Self.address) yes;\n" : ""
        for place in [shipped, folder + "/nginx"] {
            try Data(believed.utf8).write(to: URL(fileURLWithPath: place + "/mesher-fronts.conf"))
        }
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/front/nginx.conf"))
        try Nginx(of: stack).hangUp()
        for name in ["nginx", "front"] { try start(name) }
        try #require(
            eventually {
                (try? self.healthz(self.port).status) == 200 && (try? self.healthz(self.secondPort).status) == 200
            })
        // The first host's nginx has read the file, too.
        try #require(
            eventually { (try? self.healthz(self.port).header("mesher-front")) == (isBelieved ? "yes" : "no") })
    }

    deinit {
        for name in ["front", "nginx"] { _ = try? Execution.output(arguments(name) + ["-s", "stop"]) }
        for program in running { _ = program.wait() }
        let pid = (try? String(contentsOfFile: folder + "/run/watchdog.pid", encoding: .utf8)).flatMap {
            pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        if let pid {
            kill(pid, SIGTERM)
            _ = watchdog.wait()
        }
        try? FileManager.default.removeItem(atPath: stack.folder + "/nginx/mesher-fronts.conf")
        try? FileManager.default.removeItem(atPath: folder)
        try? Nginx(of: stack).hangUp()
    }

    private func healthz(_ port: Int) throws -> HTTPResponse {
        let connection = try HTTPConnection(port: port)
        connection.send("GET", "/healthz")
        return try connection.receive()
    }

    private func arguments(_ name: String) -> [String] {
        let prefix = "\(folder)/\(name)/"
        return ["/usr/sbin/nginx", "-p", prefix, "-c", prefix + "nginx.conf", "-e", "error.log"]
    }

    private func start(_ name: String) throws {
        try Execution.output(arguments(name) + ["-t"])
        running.append(
            try Execution.Running("/usr/sbin/nginx", Array(arguments(name).dropFirst()) + ["-g", "daemon off;"]))
    }

    private var configuration: String {
        Nginx.configuration(
            """
            upstream hosts {
                server 127.0.0.1:\(stack.port) max_fails=0;
                server 127.0.0.1:\(secondPort) backup;
            }
            server {
                listen 127.0.0.1:\(port);
                location / {
                    proxy_pass http://hosts;
                    proxy_bind \(Self.address);
                    proxy_read_timeout 2s;
                    proxy_next_upstream error timeout non_idempotent;
                    proxy_set_header Host localhost;
                    proxy_set_header X-Request-ID $request_id;
                    proxy_set_header X-Mesher-Received $msec;
                }
            }
            """)
    }
}
