/// What kind of process a slot belongs to.
package enum ProcessRole: UInt64, CaseIterable, Sendable {
    case watchdog = 1
    case storage, worker, stream, session

    /// Its name in the status and the metrics.
    package var name: String {
        switch self {
        case .watchdog: "watchdog"
        case .storage: "storage"
        case .worker: "worker"
        case .stream: "stream"
        case .session: "session"
        }
    }
}

/// The state of a slot's process.
package enum ProcessState: UInt64, CaseIterable, Sendable {
    /// Started, and has not said that it is ready.
    case starting = 1
    case ready
    /// Was told to end, and has not.
    case stopping
    /// Ended early, and is started again later.
    case waiting
    /// Ended for good; its counters stay.
    case ended

    /// Its name in the status and the metrics.
    package var name: String {
        switch self {
        case .starting: "starting"
        case .ready: "ready"
        case .stopping: "stopping"
        case .waiting: "waiting"
        case .ended: "ended"
        }
    }
}

/// Why a process had to be restarted. The raw value is the metric's label; its place in the list is its place in the
/// slot.
package enum RestartCause: String, CaseIterable, Sendable {
    /// It ended by itself.
    case exit
    case signal
    /// It was stuck, and the watchdog ended it.
    case stuck
    /// It reached the limit of requests or memory per process.
    case recycled
    /// A new configuration.
    case reload
}

/// What a process depends on. The raw value is its place in a slot.
package enum Dependency: Int, CaseIterable, Sendable {
    case postgresql, redis, storage

    /// The metric's label.
    package var name: String {
        switch self {
        case .postgresql: "postgresql"
        case .redis: "redis"
        case .storage: "storage"
        }
    }
}
