import Foundation
import TestServers

/// Mesher as a container has it, in the place of the Mesher of a stack: nginx reaches its sockets in a shared folder, what has
/// to be kept is in another, and all else is read-only.
///
/// There is no engine: Tests/Container makes the same of namespaces.
final class Container {
    static let areNamespacesAllowed: Bool = {
        let command = [
            "unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "sh", "-c",
            "mount -t proc proc /proc",
        ]
        return (try? Execution.run(command).status) == 0
    }()

    /// The first process, by its number outside.
    let process: pid_t
    private let running: Execution.Running

    /// Makes the root of all containers of a stack.
    static func makeRoot(for stack: Stack) throws {
        try Execution.output([tool("make-root"), stack.folder + "/root", Stack.programs])
        // Its user is nobody outside.
        chmod(stack.folder + "/sockets/postgresql", 0o711)
    }

    private static func tool(_ name: String) -> String { Stack.root + "/Tests/Container/" + name }

    /// Starts one; its log is `container.log` of the stack.
    init(for stack: Stack) throws {
        let numberFile = stack.folder + "/container.pid"
        unlink(numberFile)
        let sockets = try FileManager.default.destinationOfSymbolicLink(atPath: stack.folder + "/sockets")
        let running = try Execution.Running(
            "/bin/sh",
            [
                "-c", #"log=$1; shift; exec "$@" 2>>"$log""#, "sh", stack.folder + "/container.log",
                Self.tool("start"), stack.folder + "/root", stack["MESHER_STATE_DIR"], stack["MESHER_RUN_DIR"], sockets,
                numberFile, "MESHER_STORAGE_DATABASE_URL=postgresql://mesher_storage@/mesher?host=/servers/postgresql",
                "MESHER_REDIS_SOCKET=/servers/redis.sock", "MESHER_PUBLIC_URL=" + stack["MESHER_PUBLIC_URL"],
                "MESHER_HEALTH_INTERVAL=1", "MESHER_WORKERS=2",
            ])
        var number: pid_t?
        _ = eventually {
            number = (try? String(contentsOfFile: numberFile, encoding: .utf8)).flatMap {
                pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            return number != nil || !running.isRunning
        }
        guard let number else { throw Stack.Failure(description: "no container: \(running.wait().errors)") }
        process = number
        self.running = running
    }

    deinit {
        kill(process, SIGKILL)
    }

    /// Its processes by their command line, by their numbers outside.
    func processes(_ command: String...) -> [pid_t] {
        Processes.children(of: process).filter { Processes.commandLine($0) == command }
    }

    /// What the kernel says of its first process in `/proc/N`.
    func file(_ name: String) throws -> String {
        try String(contentsOfFile: "/proc/\(process)/\(name)", encoding: .utf8)
    }

    /// Runs a program in it, as `podman exec` does.
    func run(_ command: String...) throws -> Execution {
        try Execution.run(
            [
                "nsenter", "--target", "\(process)", "--user", "--preserve-credentials", "--pid", "--mount", "--root",
                "--wd",
            ]
                + command, environment: ["MESHER_PUBLIC_URL": "http://localhost"])
    }

    /// Runs a program of the host among its processes.
    func runBeside(_ command: String...) throws -> String {
        try Execution.output(
            ["nsenter", "--target", "\(process)", "--user", "--preserve-credentials", "--pid"] + command)
    }

    /// Waits for its end: the exit status of the first process.
    func wait() -> Int32 { running.wait().status }
}
