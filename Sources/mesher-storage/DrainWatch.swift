import Configuration
import Journal
import Logging
import System

/// Whether the operator takes this host out of service, as the state directory says. It is looked at before the first event,
/// so that no restart lets a drained host accept one.
struct DrainWatch {
    /// Nanoseconds between two looks.
    private static let interval: Int64 = 250_000_000

    private let directory: String
    private let logger: Logger
    private(set) var isOrdered = false
    private var order: DrainOrder?
    private var lookAt: Int64 = .min
    private var faults = ToldReasons()

    init(_ directory: String, logger: Logger) {
        self.directory = directory
        self.logger = logger
        look(now: .min)
    }

    /// Looks, when it is due. While the order cannot be read, what was said before holds.
    mutating func look(now: Int64) {
        guard now >= lookAt else { return }
        lookAt = max(now, 0) + Self.interval
        do throws(SystemError) {
            heed(try DrainOrder.read(in: directory))
            faults.end()
        } catch {
            guard faults.tells(error.description, now: now) else { return }
            logger.error("cannot tell whether this host is drained", metadata: ["reason": "\(error)"])
        }
    }

    private mutating func heed(_ latest: DrainOrder?) {
        guard latest != order else { return }
        order = latest
        isOrdered = latest != nil
        guard let latest else { return logger.notice("no longer draining: events are accepted again") }
        var metadata: Logger.Metadata = [:]
        if let at = latest.at { metadata["since"] = "\(LogTime(milliseconds: at / 1_000))" }
        if !latest.user.isEmpty { metadata["by"] = "\(latest.user)" }
        logger.notice("draining: every new event is refused", metadata: metadata)
    }
}
