/// What the watchdog's command line asks for.
enum CommandLineRequest: Equatable {
    /// - Parameters:
    ///   - file: the configuration file, nil for the usual one.
    ///   - settings: `NAME=value` each.
    case run(file: String?, settings: [String])
    case version
    case help

    /// Invalid arguments; the start ends with exit status 64, `EX_USAGE` of sysexits(3).
    struct Fault: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    static let usage = """
        usage: mesher-watchdog [--config FILE] [NAME=value ...]

        Opens the sockets, starts storage and workers, and restarts what dies.

          --config FILE   read the settings from FILE instead of /etc/mesher/mesher.conf
          NAME=value      a setting; overrides file and environment
          --version       print the version
          --help          print this text

        Signals:
          SIGTERM, SIGINT  finish what is in flight, stop all processes and exit
          SIGHUP           read the settings again and replace the processes one by one
          SIGTTIN          add a worker for single events, until the next reload
          SIGTTOU          remove one, but never the last

        Exit status:
          0   it was stopped
          1   no worker was ready for MESHER_START_TIMEOUT
          64  wrong command line
          71  the system refused what it needs, such as a socket or open files
          78  wrong configuration

        """

    /// - Parameter arguments: without the program's name.
    init(_ arguments: [String]) throws(Fault) {
        var file: String?
        var settings: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--version":
                self = .version
                return
            case "--help", "-h":
                self = .help
                return
            case "--config":
                guard let value = rest.popFirst() else { throw Fault(description: "--config: expected a file") }
                file = value
            case _ where argument.hasPrefix("--config="):
                file = String(argument.dropFirst("--config=".count))
            case _ where !argument.hasPrefix("-") && argument.contains("="):
                settings.append(argument)
            default:
                throw Fault(description: "\(argument): no such option or setting")
            }
        }
        self = .run(file: file, settings: settings)
    }
}
