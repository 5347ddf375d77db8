internal import Configuration
internal import Scoreboard

/// How long a process may be stuck, and how much it may do, before it is replaced.
struct ServiceLimits {
    /// Nanoseconds that one body may take, without waits for a processor.
    let executing: Int64
    /// Nanoseconds that the loop may stand still, also without waits for a processor.
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
        /// It has handled this request for this many nanoseconds.
        case executing(UInt128, Int64)
        /// Its loop has stood still for this many nanoseconds.
        case heartbeat(Int64)
    }

    /// Nil while the process makes progress. One that has not begun its loop is judged by its readiness alone. Waits
    /// for a processor do not count.
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

    /// Whether a process has reached its limits.
    ///
    /// - Parameters:
    ///   - answered: the requests it has answered.
    ///   - resident: the bytes it holds; nil when that is not known.
    func isUsedUp(answered: UInt64, resident: Int?) -> Bool {
        (requests > 0 && answered >= requests) || (memory > 0 && resident.map { $0 > memory } == true)
    }
}
