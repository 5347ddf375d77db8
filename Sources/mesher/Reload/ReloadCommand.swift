internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import System

/// `mesher reload`: lets the running service read its configuration again.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Make the running service reread its configuration.",
        discussion: """
            Replaces the processes one by one; no request is refused meanwhile. Returns when that is \
            done. An invalid configuration changes nothing, and the exit status is 78. The same holds if \
            PostgreSQL or Redis, which the running service reaches, would become unreachable.
            """)

    @Flag(help: "Reload even if a server that is reachable now would become unreachable.")
    var force = false

    @Option(help: "Maximum seconds to wait; after that the exit status is 75.")
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
                .configuration, "not reloaded, the old settings stay (--force reloads anyway): \(reasons)")
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
                throw CommandError(.temporaryFailure, "not finished within \(timeout) s; see the service's log")
            }
            usleep(20_000)
        }
    }
}
