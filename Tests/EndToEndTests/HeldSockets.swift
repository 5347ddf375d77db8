import Foundation
import TestServers

/// The parent of a watchdog that holds the listening sockets as systemd does, and starts it again when it dies.
final class HeldSockets {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let stack: Stack
    private let names: [String]
    /// Above the numbers that they get in the watchdog.
    private var descriptors: [Int32] = []
    private(set) var watchdog: pid_t = 0

    /// Opens the sockets in the stack's run directory, in place of those that its watchdog had; the watchdog makes those
    /// itself which it does not get.
    init(for stack: Stack, _ names: [String] = ["events", "bulk", "stream"]) throws {
        self.stack = stack
        self.names = names
        for name in names {
            let path = stack["MESHER_RUN_DIR"] + "/\(name).sock"
            let low = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let number = fcntl(low, F_DUPFD_CLOEXEC, 100)
            close(low)
            unlink(path)
            guard NotifySocket.withAddress(path, { bind(number, $0, $1) }) == 0, listen(number, 4096) == 0 else {
                throw Failure(description: "\(path): \(errno)")
            }
            descriptors.append(number)
        }
    }

    deinit {
        for number in descriptors { close(number) }
    }

    /// Starts the watchdog with the sockets as descriptors from 3 on.
    func start() throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let log = stack.folder + "/watchdog.log"
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_APPEND, 0)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        for (position, number) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, number, Int32(3 + position))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let command =
            "LISTEN_PID=$$ LISTEN_FDS=\(names.count) LISTEN_FDNAMES=\(names.joined(separator: ":")) "
            + "exec \(stack["MESHER_BIN"])/mesher-watchdog --config \(stack.folder)/mesher.conf"
        let words = ["sh", "-c", command]
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let environment: [UnsafeMutablePointer<CChar>?] = [nil]
        let code = posix_spawn(&watchdog, "/bin/sh", &actions, &attributes, arguments, environment)
        guard code == 0 else { throw Failure(description: "posix_spawn: \(code)") }
    }

    /// Kills the watchdog and waits for its end and that of its children, which systemd waits for, too: one of them may
    /// have a socket open that the next watchdog binds.
    func kill(_ signal: Int32 = SIGKILL) {
        let children = Processes.children(of: watchdog)
        Glibc.kill(watchdog, signal)
        waitpid(watchdog, nil, 0)
        _ = eventually { children.allSatisfy { Processes.commandLine($0).isEmpty } }
    }
}
