internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import Scoreboard
internal import Spool
internal import StorageChannel
internal import System

/// `mesher drain`: takes this host out of service, without losing what it has accepted.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Let this host refuse new events, and deliver all that it has accepted.",
        discussion: """
            From now on every new event is refused with 503 and Retry-After, streams are closed with 1012, and /readyz says \
            503, so that a load balancer takes other hosts. What is in flight and in the spool is delivered. This holds until \
            --end takes it back, through crashes, reloads, restarts and reboots. Exit status: 0 nothing is left on this host, \
            75 something is.
            """)

    @Flag(help: "Accept events again.") var end = false
    @Option(help: "Maximum seconds to wait; after that it says what is left.") var timeout = 60
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard (0...86_400).contains(timeout) else { throw ValidationError("--timeout must be from 0 to 86400") }
    }

    func run() throws {
        let settings = try options.settingsWithoutSecrets()
        let directory = settings.text(.stateDirectory)
        // What root makes there must be readable for the service.
        let user = Self.user()
        try SpoolOwner.become(of: directory)
        let isOrdered = try DrainOrder.read(in: directory) != nil
        let deadline = Clock.monotonic() + Int64(timeout) * 1_000_000_000
        guard !end else {
            guard isOrdered else { return print("not draining") }
            try DrainOrder.takeBack(in: directory)
            return try waitForEnd(settings, until: deadline)
        }
        if !isOrdered { try DrainOrder(at: Clock.wall(), by: user).give(in: directory) }
        print("draining: new events are refused until mesher drain --end")
        fflush(nil)
        try waitUntilDrained(settings, until: deadline)
    }

    private func waitUntilDrained(_ settings: Settings, until deadline: Int64) throws {
        while true {
            let progress = try Self.progress(settings)
            guard !progress.left.isEmpty else { return print("drained: nothing is left on this host") }
            guard progress.isMoving, Clock.monotonic() < deadline else {
                throw CommandError(.temporaryFailure, "not drained: \(progress.left.joined(separator: "; "))")
            }
            usleep(50_000)
        }
    }

    private func waitForEnd(_ settings: Settings, until deadline: Int64) throws {
        let directory = settings.text(.runDirectory)
        while RunningWatchdog.isRunning(directory), Self.storage(directory)?.isDraining ?? true {
            guard Clock.monotonic() < deadline else {
                throw CommandError(
                    .temporaryFailure, "taken back, but storage does not accept events yet: mesher check")
            }
            usleep(50_000)
        }
        print("no longer draining")
    }

    /// The disk is looked at last: what storage no longer has in hand is in PostgreSQL, or there.
    private static func progress(_ settings: Settings) throws -> DrainProgress {
        let directory = settings.text(.runDirectory)
        var progress = DrainProgress()
        progress.isServiceRunning = RunningWatchdog.isRunning(directory)
        progress.storage = storage(directory)
        // Nothing was ever kept here.
        guard access(settings.spoolDirectory, F_OK) == 0 || errno != ENOENT else { return progress }
        let spool = try SpoolInspection(settings)
        progress.quarantined = spool.quarantined
        let faults = spool.segments.map { $0.fault?.description }
        progress.hasSpool = faults.contains { $0 == nil }
        progress.unreadable = faults.compactMap { $0 }
        return progress
    }

    private static func storage(_ runDirectory: String) -> DrainProgress.Storage? {
        let readings = ScoreboardFile.readings(in: runDirectory)
        guard let reading = readings.first(where: { $0.role == .storage && $0.state == .ready && $0.accepts != nil })
        else { return nil }
        let degradation = Degradation(rawValue: UInt8(truncatingIfNeeded: reading.degradation))
        return DrainProgress.Storage(
            isDraining: degradation.contains(.draining), eventsInHand: reading.inHand, spooled: reading.spool.events,
            reachesPostgreSQL: !degradation.contains(.postgresql))
    }

    /// Who gives the order: whoever has become root by sudo(8), or the user.
    private static func user() -> String {
        OperatorLog.sudo ?? OperatorLog.name(of: OperatorLog.login ?? getuid()) ?? "\(getuid())"
    }
}
