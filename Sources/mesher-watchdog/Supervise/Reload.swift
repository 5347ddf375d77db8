internal import Configuration
internal import Glibc
internal import Logging
internal import Scoreboard
internal import System

/// A reload that is under way.
struct Reload {
    /// When the configuration was read, of the monotonic clock.
    let begun: Int64
    /// The settings to restore if it fails.
    let previous: Settings
    /// Whether another reload was requested since: the configuration may have changed after it was read.
    var isAskedAgain = false
}

extension Watchdog {
    /// Reads the configuration again and replaces the children; a bad one is reported, and nothing changes.
    mutating func beginReload() -> CInt? {
        guard reload == nil else {
            reload?.isAskedAgain = true
            return nil
        }
        let begun = Clock.monotonic()
        notification.reloading(begun: begun)
        do throws(Settings.Fault) {
            let new = try configuration.read(replacing: settings)
            log.notice("reloading")
            reload = Reload(begun: begun, previous: settings)
            settings = new
        } catch {
            report(ReloadReport(begun: begun, failure: "\(error)"))
            return nil
        }
        return perform(supervisor.reload(settings.children, now: Clock.monotonic()))
    }

    mutating func endReload(_ failure: ReloadFailure?) -> CInt? {
        guard let ended = reload.take() else { return nil }
        if failure != nil { settings = ended.previous } else { recordConfiguration() }
        report(ReloadReport(begun: ended.begun, failure: failure.map { "\($0)" }))
        return ended.isAskedAgain && failure != .stopping ? beginReload() : nil
    }

    /// Tells `mesher check` and `mesher reload` what this service has read.
    func recordConfiguration() {
        do {
            try ConfigurationRecord(settings, file: configuration.file).write(in: settings.text(.runDirectory))
        } catch {
            log.error("the record of the configuration cannot be written", metadata: ["reason": "\(error)"])
        }
    }

    private mutating func report(_ report: ReloadReport) {
        if let failure = report.failure {
            log.error("reload failed, the old settings stay", metadata: ["reason": "\(failure)"])
        } else {
            log.notice("reloaded")
        }
        scoreboard.recordReload(succeeded: report.failure == nil, wall: Clock.wall())
        // A reader that waited for the end must not see the state before it.
        writePage(now: Clock.monotonic())
        notification.ready()
        do { try report.write(in: settings.text(.runDirectory)) } catch {
            log.error("the result of the reload cannot be written", metadata: ["reason": "\(error)"])
        }
    }
}

extension ReloadFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .died(let child): "\(child): the new process has died before it was ready"
        case .notReady(let child): "\(child): the new process did not become ready in time"
        case .stopping: "the service is stopping"
        }
    }
}
