internal import Glibc
internal import System

/// A program of this host that is run to its end. The corresponding C function is `posix_spawnp`.
struct HostCommand {
    let status: CInt
    /// What it wrote to standard output and standard error.
    let output: String

    /// - Parameter words: the program, which is looked for in PATH, and its arguments.
    /// - Throws: `SystemError` when it cannot be started.
    static func run(_ words: [String]) throws(SystemError) -> HostCommand {
        let name = words.first ?? ""
        guard let stream = tmpfile() else { throw SystemError("tmpfile") }
        defer { fclose(stream) }
        let file = fileno(stream)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, file, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, file, STDERR_FILENO)
        var arguments = words.map { strdup($0) } + [nil]
        // No setting of ours, and words that do not depend on who runs it.
        let variables = ["PATH=\(path)", "LC_ALL=C.UTF-8"]
        var environment = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var pid = pid_t(0)
        let code = posix_spawnp(&pid, name, &actions, nil, &arguments, &environment)
        guard code == 0 else { throw SystemError("execute", name, code: code) }
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw SystemError("waitpid", name) }
        }
        // WEXITSTATUS, or the signal as a shell has it.
        let signal = status & 0x7f
        return HostCommand(status: signal == 0 ? (status >> 8) & 0xff : 128 + signal, output: read(file))
    }

    private static var path: String {
        getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    }

    private static func read(_ file: CInt) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = pread(file, &chunk, chunk.count, off_t(bytes.count)), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
