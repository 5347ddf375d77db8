internal import Configuration
internal import Logging
internal import Notation
internal import Scoreboard

extension Watchdog {
    /// Logs what a child was handling when it died.
    func tell(_ suspect: Suspect, _ child: Child) {
        let metadata: Logger.Metadata = [
            "child": "\(child)", "request": "\(suspect.request.hexDigits)", "project": "\(suspect.body.project)",
            "bytes": "\(suspect.body.size)", "deaths": "\(suspect.deaths)",
        ]
        if suspect.isPoison {
            log.error("a request has killed too many children and is refused from now on", metadata: metadata)
        } else {
            log.warning("child died while it was handling a request", metadata: metadata)
        }
    }

    /// Logs what the supervisor noticed.
    func tell(_ notice: Supervisor.Notice) {
        switch notice {
        case .pause(let child, let pause):
            slots.pausing(child, pause)
            log.warning(
                "child died early, restarting it later",
                metadata: [
                    "child": "\(child)", "milliseconds": "\(pause / 1_000_000)",
                    "ended": "\(lastEndings[child] ?? "not started")",
                ])
        case .stopping:
            page.stopping()
            log.notice("stopping")
            notification.stopping()
        case .killing(let child, let pid):
            log.warning("child did not stop in time, killing it", metadata: ["child": "\(child)", "process": "\(pid)"])
        case .notReplaced(let child):
            log.error("child could not be replaced, the old one stays", metadata: ["child": "\(child)"])
        case .noWorkerReady:
            let causes = lastEndings.sorted { "\($0.key)" < "\($1.key)" }.map { "\($0.key): \($0.value)" }
            log.critical(
                "no worker became ready, giving up",
                metadata: [
                    "seconds": "\(settings.integer(.startTimeout))", "ended": "\(causes.joined(separator: ", "))",
                ])
        }
    }
}
