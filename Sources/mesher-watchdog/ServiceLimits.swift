internal import Configuration
internal import Scoreboard

/// How long a process may stand still, and how much it may do, before another takes its place.
struct ServiceLimits {
    /// Nanoseconds that one body may be handled, without those in which the process waits for a processor.
    let executing: Int64
    /// Nanoseconds that the loop may stand still, without the same.
    let heartbeat: Int64
    /// Requests that one process answers; 0 means any number.
    let requests: UInt64
    /// Bytes that it may hold; 0 means any number.
    let memory: Int

    init(executing: Int64, heartbeat: Int64, requests: UInt64 = 0, memory: Int = 0) {
        self.executing = executing
        self.heartbeat = heartbeat
        self.requests = requests
        self.memory = memory
    }

    init(_ settings: Settings) {
        executing = Int64(settings.integer(.stuckExecuting)) * 1_000_000_000
        heartbeat = Int64(settings.integer(.stuckHeartbeat)) * 1_000_000_000
        requests = UInt64(clamping: settings.integer(.workerRequests))
        memory = settings.integer(.workerMemory) << 20
    }

    /// Why a process counts as stuck.
    enum Standstill: Equatable {
        /// It has handled this request for so many nanoseconds.
        case executing(UInt128, Int64)
        /// Its loop has stood still for so many nanoseconds.
        case heartbeat(Int64)
    }

    /// Nil while the process goes on; one that has not begun its loop is judged by its readiness alone. Time in which it
    /// waited for a processor does not count: others had it.
    func standstill(_ vitals: Vitals, _ wait: ProcessorWait, now: Int64) -> Standstill? {
        if let execution = vitals.execution {
            let time = now - execution.since - wait.whileExecuting
            if time > executing { return .executing(execution.request, time) }
        }
        if let beat = vitals.heartbeat {
            let time = now - beat - wait.sinceHeartbeat
            if time > heartbeat { return .heartbeat(time) }
        }
        return nil
    }

    /// Whether a process has served its time.
    ///
    /// - Parameters:
    ///   - answered: the requests it has answered.
    ///   - resident: the bytes it holds; nil when that is not known.
    func isUsedUp(answered: UInt64, resident: Int?) -> Bool {
        (requests > 0 && answered >= requests) || (memory > 0 && resident.map { $0 > memory } == true)
    }
}
