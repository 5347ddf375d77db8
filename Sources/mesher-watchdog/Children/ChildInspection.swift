internal import Glibc
internal import Logging
internal import Notation
internal import System

extension Watchdog {
    /// Inspects the children: one that is stuck is aborted and replaced, a worker that has reached its limits is
    /// replaced.
    ///
    /// - Parameter isLate: this process itself got no processor time, so it judges no other.
    mutating func lookAtChildren(now: Int64, isLate: Bool) -> CInt? {
        let limits = ServiceLimits(settings)
        var actions: [Supervisor.Action] = []
        for pid in processes.keys.sorted() {
            guard let vitals = slots.vitals(of: pid) else { continue }
            processes[pid]?.noteWait(vitals)
            guard !isLate, let child = supervisor.child(servedBy: pid), let wait = processes[pid]?.wait else {
                continue
            }
            if let standstill = limits.standstill(vitals, wait, now: now) {
                log.error(
                    "child is stuck, aborting it",
                    metadata: ["child": "\(child)", "process": "\(pid)", "why": "\(standstill)"])
                actions += supervisor.stuck(pid, now: now)
            } else if child.isWorker, limits.requests > 0 || limits.memory > 0,
                limits.isUsedUp(answered: slots.answered(by: pid), resident: StatusPage.residentMemory(of: pid))
            {
                actions += supervisor.replace(pid, now: now)
            }
        }
        return perform(actions)
    }
}

extension ServiceLimits.Standstill: CustomStringConvertible {
    var description: String {
        switch self {
        case .executing(let request, let time):
            return "handles request \(request.hexDigits) for \(time / 1_000_000_000) s"
        case .heartbeat(let time): return "its loop stands still for \(time / 1_000_000_000) s"
        }
    }
}
