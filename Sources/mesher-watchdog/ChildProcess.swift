internal import CSystem
internal import EventLoop
internal import Glibc

/// A process that the watchdog has started, and the descriptors by which it hears of it.
final class ChildProcess {
    let child: Child
    let pid: pid_t
    /// Readable when the process has ended.
    private let exit: Descriptor
    /// The other end of the pipe whose number the process finds in `MESHER_READY_FD`.
    private let readiness: Descriptor

    var exitNumber: CInt { exit.number }
    var readinessNumber: CInt { readiness.number }

    /// How a process ended.
    enum Ending: CustomStringConvertible {
        case exited(CInt)
        case killed(CInt)

        var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .killed(let signal): "signal \(signal)"
            }
        }
    }

    private init(_ child: Child, _ pid: pid_t, exit: consuming Descriptor, readiness: consuming Descriptor) {
        self.child = child
        self.pid = pid
        self.exit = exit
        self.readiness = readiness
    }

    /// Starts a program. It gets no signal blocked or ignored, the listening socket as descriptor 0 (or `/dev/null`), and
    /// a process group of its own, so that Ctrl-C at a terminal reaches the watchdog alone. The corresponding C functions
    /// are `posix_spawn` and `pidfd_open`.
    ///
    /// - Parameter environment: all that the process gets, `NAME=value` each; `MESHER_READY_FD` is added.
    /// - Throws: `SystemError` that names the file; nothing runs then.
    static func start(
        _ child: Child, file: String, environment: [String], listener: CInt?
    ) throws(SystemError) -> ChildProcess {
        let pipe = try Pipe.open()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let listener {
            posix_spawn_file_actions_adddup2(&actions, listener, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        let readyNumber: CInt = 3
        posix_spawn_file_actions_adddup2(&actions, pipe.writing.number, readyNumber)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)

        var pid: pid_t = 0
        let code = withStrings([child.program] + child.arguments) { arguments in
            withStrings(environment + ["MESHER_READY_FD=\(readyNumber)"]) { environment in
                posix_spawn(&pid, file, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SystemError("posix_spawn", file, code: code) }
        let exit = mesher_pidfd_open(pid)
        guard exit >= 0 else {
            let error = SystemError("pidfd_open", file)
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw error
        }
        return ChildProcess(child, pid, exit: Descriptor(adopting: exit), readiness: pipe.reading)
    }

    /// What the process has said about itself: true when it is ready, false when it never will say so (it closed the
    /// pipe), nil when it has said nothing yet.
    func readReadiness() -> Bool? {
        var byte: UInt8 = 0
        let count = read(readiness.number, &byte, 1)
        if count == 1 { return true }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? nil : false
    }

    /// Takes the status of a process that has ended, nil when it has not. The corresponding C function is `waitpid`.
    func reap() -> Ending? {
        var status: CInt = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = mesher_termination_signal(status)
        return signal == 0 ? .exited(mesher_exit_status(status)) : .killed(signal)
    }

    /// Ends the process at once and forgets it.
    func abandon() {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    private static func withStrings<Result>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result)
        -> Result
    {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
