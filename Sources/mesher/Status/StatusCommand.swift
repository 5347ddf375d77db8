internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import System

/// `mesher status`: which processes run, and what became of the events.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the service's processes and the outcomes of events.",
        discussion: """
            Reads what the watchdog writes every second, so it answers even when no worker does. Totals count from the time the run \
            directory was created, and survive restarts. Exit status 69 if no watchdog is running. \
            With --hosts it asks the operator's server of each host, and exits with 69 if one does not answer.
            """)

    @Flag(help: "Show it again every second, until interrupted.") var watch = false
    @Option(help: "Show one line for each of these hosts instead: name, name:port or URL, separated by commas.")
    var hosts: String?
    @Option(name: .customLong("hosts-from"), help: "The same, from a file with one host per line; - is standard input.")
    var hostsFile: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    func run() throws {
        if let hosts = try namedHosts() { return try show(hosts) }
        let settings = try options.settingsWithoutSecrets()
        let path = ServiceCheck.path("status.json", settings)
        guard watch else { return print(try shown(path, settings), terminator: "") }
        let isTerminal = isatty(STDOUT_FILENO) == 1
        while true {
            let text: String
            do {
                text = try shown(path, settings)
            } catch let error as CommandError where error.status == .unavailable {
                text = "\(error)\n"
            }
            // Moves home, prints the text and erases the rest; clearing the screen first would flicker.
            print(isTerminal ? "\u{1b}[H\(Self.erasing(text))\u{1b}[J" : text, terminator: "")
            fflush(nil)
            sleep(1)
        }
    }

    /// The hosts that are asked for; nil when it is this one's service.
    private func namedHosts() throws -> [RemoteHost]? {
        var names = (hosts ?? "").split(separator: ",").map(String.init)
        if let hostsFile {
            let text = String(decoding: try SentFile.read(hostsFile), as: UTF8.self)
            names += text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.hasPrefix("#") }
        }
        guard hosts != nil || hostsFile != nil else { return nil }
        let all = names.map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }.map(RemoteHost.init)
        guard !all.isEmpty else { throw CommandError(.usage, "no host is named") }
        return all
    }

    private func show(_ hosts: [RemoteHost]) throws {
        while true {
            let report = HostsReport(hosts.map { ($0.name, $0.state()) }, now: Double(Clock.wall()) / 1e6)
            let text = output.isJSON ? "\(report.json)\n" : report.description
            print(watch && isatty(STDOUT_FILENO) == 1 ? "\u{1b}[H\(Self.erasing(text))\u{1b}[J" : text, terminator: "")
            fflush(nil)
            guard watch else {
                if report.isComplete { return }
                throw ExitCode(ExitStatus.unavailable.rawValue)
            }
            sleep(1)
        }
    }

    /// Each line followed by the sequence that erases the rest of the terminal's line.
    private static func erasing(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\u{1b}[K\n")
    }

    /// What is wrong with the watchdog when the status is old.
    private static func whatWritesIt(_ settings: Settings) -> String {
        let directory = settings.text(.runDirectory)
        guard let watchdog = try? RunningWatchdog(in: directory) else {
            return RunningWatchdog.isRunning(directory)
                ? "the watchdog hangs or is stopped; run mesher inside its container" : "the watchdog does not run"
        }
        let advice = watchdog.isStopped ? "is stopped: kill -CONT \(watchdog.pid)" : "hangs; see its log"
        return "the watchdog, process \(watchdog.pid), \(advice)"
    }

    private func shown(_ path: String, _ settings: Settings) throws -> String {
        let text = try Self.read(path)
        let document = try StatusDocument(text, path: path)
        let now = Double(Clock.wall()) / 1e6
        let age = now - document.writtenAt
        guard age < StatusDocument.staleAfter else {
            let age = StatusReport.whole(age)
            throw CommandError(.unavailable, "\(path): not written for \(age) s: \(Self.whatWritesIt(settings))")
        }
        return output.isJSON ? Self.withSessions(text, settings) : StatusReport(document, now: now).description
    }

    /// The document, with the WebSocket sessions among the processes; they are too many to be written each second.
    private static func withSessions(_ text: String, _ settings: Settings) -> String {
        let beginning = "\"processes\":["
        guard let place = text.firstRange(of: beginning), let sessions = try? RunningSession.all(settings) else {
            return text
        }
        let objects = sessions.map { "\($0.json)," }.joined()
        return text[..<place.upperBound] + objects + text[place.upperBound...]
    }

    private static func read(_ path: String) throws -> String {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            if errno == ENOENT {
                throw CommandError(.unavailable, "\(path): no watchdog is running; systemctl start mesher")
            }
            throw SystemError("open", path)
        }
        let file = Descriptor(adopting: number)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = Glibc.read(file.number, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
