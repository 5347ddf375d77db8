internal import Configuration
internal import Glibc
internal import Scoreboard
internal import System

/// A process that the watchdog has started, and the descriptors by which it hears of it.
final class ChildProcess {
    let child: Child
    private let exit: ProcessDescriptor
    /// The other end of the pipe whose number the process finds in `MESHER_READY_FD`.
    private let readiness: Descriptor
    /// The other end of its standard error.
    let output: ErrorOutput
    /// How long it has waited for a processor.
    private(set) var wait = ProcessorWait()

    var pid: pid_t { exit.pid }
    /// Readable when the process has ended.
    var exitNumber: CInt { exit.number }
    /// Readable when the process reports readiness.
    var readinessNumber: CInt { readiness.number }

    private init(
        _ child: Child, exit: consuming ProcessDescriptor, readiness: consuming Descriptor, output: ErrorOutput
    ) {
        self.child = child
        self.exit = exit
        self.readiness = readiness
        self.output = output
    }

    /// Starts a program. It gets no signal blocked or ignored, the listening socket as descriptor 0 (or `/dev/null`), a pipe
    /// as standard error, and a process group of its own, so that Ctrl-C at a terminal reaches the watchdog alone. The
    /// corresponding C functions are `posix_spawn` and `pidfd_open`.
    ///
    /// - Parameters:
    ///   - environment: all that the process gets, `NAME=value` each; `MESHER_READY_FD` is added, `MESHER_LISTENER_FD` for
    ///     `second`, and `JOURNAL_STREAM` when the lines are to begin with their priorities.
    ///   - secrets: settings that it reads from a pipe, whose number it finds in `MESHER_SECRETS_FD`.
    ///   - second: another listening socket.
    ///   - serial: names its standard error.
    ///   - lines: where what it says there is remembered.
    /// - Throws: `SystemError` that names the file; nothing runs then.
    static func start(
        _ child: Child, file: String, environment: [String], secrets: [String] = [], listener: CInt?,
        second: CInt? = nil, serial: UInt32, lines: RecentLines = RecentLines(), hasPriorities: Bool
    ) throws(SystemError) -> ChildProcess {
        let pipe = try Pipe.open()
        let errors = try Pipe.open()
        // A child that has something to say must not wait for it to be read.
        try errors.writing.setBlocking(false)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let listener {
            posix_spawn_file_actions_adddup2(&actions, listener, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, errors.writing.number, STDERR_FILENO)
        let readyNumber: CInt = 3
        posix_spawn_file_actions_adddup2(&actions, pipe.writing.number, readyNumber)
        // Swift's runtime, where installed, would inspect a trapping process for seconds before it dies.
        var own = ["MESHER_READY_FD=\(readyNumber)", "SWIFT_BACKTRACE=enable=no"]
        if let second {
            posix_spawn_file_actions_adddup2(&actions, second, readyNumber + 1)
            own.append("MESHER_LISTENER_FD=\(readyNumber + 1)")
        }
        let secretPipe = try Pipe.holding(InheritedSecrets.encoded(secrets))
        if !secrets.isEmpty {
            posix_spawn_file_actions_adddup2(&actions, secretPipe.number, readyNumber + 2)
            own.append("\(InheritedSecrets.variable)=\(readyNumber + 2)")
        }

        let output = ErrorOutput(serial: serial, reading: errors.reading, lines: lines)
        let stream = hasPriorities ? output.streamIdentity.map { ["JOURNAL_STREAM=\($0)"] } ?? [] : []
        let pid = try spawn(
            file, [child.program] + child.arguments, environment: environment + stream + own, &actions)
        do throws(SystemError) {
            return ChildProcess(
                child, exit: try ProcessDescriptor.open(pid), readiness: pipe.reading, output: output)
        } catch {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw error
        }
    }

    private static func spawn(
        _ file: String, _ arguments: [String], environment: [String], _ actions: inout posix_spawn_file_actions_t
    ) throws(SystemError) -> pid_t {
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
        let code = withStrings(arguments) { arguments in
            withStrings(environment) { environment in
                posix_spawn(&pid, file, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SystemError("posix_spawn", file, code: code) }
        return pid
    }

    /// Whether the process is ready: true if so, false if it never will be (it closed the pipe), nil while it has not
    /// said.
    func readReadiness() -> Bool? {
        var byte: UInt8 = 0
        let count = read(readiness.number, &byte, 1)
        if count == 1 { return true }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? nil : false
    }

    /// Looks how long it has waited for a processor while it does what its slot says.
    func noteWait(_ vitals: Vitals) {
        if let sample = ProcessorWait.Sample.of(pid) { wait.note(sample, vitals) }
    }

    /// Takes the status of the process when it has ended, nil when it has not.
    func reap() -> ProcessDescriptor.Ending? {
        exit.reap()
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
