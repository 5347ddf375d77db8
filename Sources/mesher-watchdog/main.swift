internal import Configuration
internal import Glibc
internal import Journal
internal import Logging
internal import System

/// Reads the command line and the configuration, opens what is needed, and watches until the end. Returns the exit
/// status, which tells a wrong command line and a wrong configuration apart, sysexits(3).
func main(_ arguments: [String]) -> CInt {
    prepareProcess()
    let lines = RecentLines()
    let log = Journal.logger("mesher-watchdog") { lines.note($0, "mesher-watchdog", $1, wall: Clock.wall()) }
    let descriptors = ProcessAttributes.raiseDescriptorLimit()
    guard descriptors >= leastDescriptors else {
        log.critical(
            "too few open files are allowed: raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)",
            metadata: ["allowed": "\(descriptors)", "needed": "\(leastDescriptors)"])
        return EX_OSERR
    }
    let passed = PassedSockets()
    let request: CommandLineRequest
    do {
        request = try CommandLineRequest(arguments)
    } catch {
        log.critical("wrong command line", metadata: ["reason": "\(error)"])
        return EX_USAGE
    }
    switch request {
    case .help:
        print(CommandLineRequest.usage, terminator: "")
        return EXIT_SUCCESS
    case .version:
        print("mesher-watchdog \(Release.version)")
        return EXIT_SUCCESS
    case .run(let file, let arguments):
        return watch(ConfigurationSource(file: file, arguments: arguments), passed, log, lines)
    }
}

/// What holds for the watchdog before it opens anything, and for all its children.
func prepareProcess() {
    // What is opened later must not become standard input, output or error, which children inherit.
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
    // Otherwise whoever waits for one of them to close would wait for all children.
    ProcessAttributes.keepFromPrograms(from: STDERR_FILENO + 1)
    // Holds for its children too: none gains rights by executing a program, and none leaves a core with passwords and
    // events.
    ProcessAttributes.forbidNewPrivileges()
    ProcessAttributes.limit(RLIMIT_CORE, to: 0)
    // Before there is anything to reload, SIGHUP is ignored.
    signal(SIGHUP, SIG_IGN)
    // A reader of standard error that goes away must not kill the watchdog and all children with it.
    signal(SIGPIPE, SIG_IGN)
    // Nor must signals that mean something to other daemons.
    for number in [SIGUSR1, SIGUSR2, SIGALRM, SIGQUIT] { signal(number, SIG_IGN) }
}

/// Opens what the watchdog needs, and watches until the end. Returns the exit status.
func watch(
    _ configuration: ConfigurationSource, _ passed: consuming PassedSockets, _ log: Logger, _ lines: RecentLines
) -> CInt {
    do {
        let settings = try configuration.read()
        let directory = settings.text(.runDirectory)
        try makeDirectory(directory)
        let pidFile = try PIDFile.open(at: "\(directory)/watchdog.pid")
        let sockets = try ListeningSockets.open(in: directory, address: settings.text(.streamAddress), passed: passed)
        let watchdog = try Watchdog.open(
            settings, from: configuration, binaries: binaries(settings), sockets: sockets, log: log, lines: lines)
        let status = try watchdog.run()
        pidFile.remove()
        return status
    } catch let fault as Settings.Fault {
        log.critical("wrong configuration", metadata: ["reason": "\(fault)"])
        return EX_CONFIG
    } catch {
        log.critical("cannot run", metadata: ["reason": "\(error)"])
        return EX_OSERR
    }
}

/// With fewer, the service could accept requests that it has no descriptors to serve.
let leastDescriptors = 256

/// Makes the run directory unless it is there; its parent must be. The corresponding C function is `mkdir`.
func makeDirectory(_ path: String) throws(SystemError) {
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw SystemError("mkdir", path) }
}

/// Where the other programs are: the folder that is configured, or the one this program is in.
func binaries(_ settings: Settings) throws(SystemError) -> String {
    let configured = settings.text(.binaryDirectory)
    guard configured.isEmpty else { return configured }
    guard let path = ProcessAttributes.programPath() else { throw SystemError("realpath", "of the watchdog") }
    return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
}

exit(main(ProcessAttributes.arguments))
