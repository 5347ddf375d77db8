internal import ArgumentParser
internal import Configuration
internal import EventLoop
internal import Glibc

/// `mesher reload`: lets the running service read its configuration again.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Let the running service read its configuration again.",
        discussion: """
            The processes are replaced one after the other, and no request is refused meanwhile. Returns when that is \
            done; a configuration that cannot be used changes nothing, and the exit status is 78. Nor does one with which \
            PostgreSQL or Redis, which the service reaches now, cannot be reached.
            """)

    @Flag(help: "Reload also when a server that is reached now would not be any more.")
    var force = false

    @Option(help: "The most seconds to wait; after that the exit status is 75.")
    var timeout = 300

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout must be from 1 to 86400")
        }
    }

    func run() throws {
        let settings = try options.settingsWithoutSecrets()
        let directory = settings.text(.runDirectory)
        let watchdog = try RunningWatchdog(in: directory)
        if !force, let failures = ReloadTrial(file: options.configurationFile)?.failures(), !failures.isEmpty {
            let reasons = failures.joined(separator: "; ")
            throw CommandError(
                .configuration, "not reloaded, the old settings hold (--force reloads all the same): \(reasons)")
        }
        let asked = Clock.monotonic()
        let deadline = asked + Int64(timeout) * 1_000_000_000
        try watchdog.signal(SIGHUP)
        while true {
            if let report = ReloadReport.read(in: directory), report.begun >= asked {
                guard let failure = report.failure else { return print("reloaded") }
                throw CommandError(.configuration, "reload failed: \(failure)")
            }
            guard watchdog.isRunning else { throw CommandError(.unavailable, "the service has ended") }
            guard Clock.monotonic() < deadline else {
                throw CommandError(.temporaryFailure, "not done within \(timeout) s; see the service's log")
            }
            usleep(20_000)
        }
    }
}
