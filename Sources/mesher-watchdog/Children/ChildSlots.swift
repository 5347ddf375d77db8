internal import Glibc
internal import Scoreboard
internal import System

/// The children's slots of the scoreboard: which process has which, and what is said there of its life.
struct ChildSlots {
    private struct Occupant {
        let child: Child
        let slot: Int
        /// Restart cause if it ends now; nil once it was told to end.
        var cause: RestartCause?
        var isStopping = false
        /// What the slot had counted before this process.
        let requestsBefore: UInt64
    }

    private let scoreboard: ScoreboardFile
    private let sessions: SessionTable
    private var occupants: [pid_t: Occupant] = [:]
    /// Which children were started before: a slot may also be older than the watchdog.
    private var started: Set<Child> = []

    init(_ scoreboard: ScoreboardFile, _ sessions: SessionTable) {
        self.scoreboard = scoreboard
        self.sessions = sessions
    }

    /// Finds a slot for the process that a child is about to get.
    ///
    /// - Parameter replacement: why the child gets another process, if its last one did not end by itself.
    /// - Returns: the slot's number for `environment`, nil when all are taken; the process is not seen then.
    mutating func claim(_ child: Child, replacement: RestartCause = .reload) -> Int? {
        guard let claim = scoreboard.claim(child.slotRole, name: "\(child)") else { return nil }
        // One that is stuck is counted when it has ended.
        let isCountedLater = occupants.values.contains { $0.child == child && $0.cause == .stuck }
        if !started.insert(child).inserted, !claim.wasWaiting, !isCountedLater {
            scoreboard.countRestart(claim.slot, replacement)
        }
        return claim.slot
    }

    /// The variable by which a process finds its slot, environ(7).
    static func environment(_ slot: Int?) -> [String] {
        slot.map { ["\(ScoreboardFile.slotVariable)=\($0)"] } ?? []
    }

    /// The process for which a slot was claimed is running.
    mutating func started(_ child: Child, _ slot: Int?, _ pid: pid_t) {
        guard let slot else { return }
        let requestsBefore = scoreboard.reading(of: slot)?.requestCount ?? 0
        occupants[pid] = Occupant(child: child, slot: slot, requestsBefore: requestsBefore)
        scoreboard.started(slot, pid: pid, wall: Clock.wall())
    }

    /// The process for which a slot was claimed could not be started.
    func failedToStart(_ slot: Int?) {
        if let slot { scoreboard.restart(slot, .exit, startAt: Clock.wall()) }
    }

    func ready(_ pid: pid_t) {
        guard let occupant = occupants[pid], !occupant.isStopping else { return }
        scoreboard.set(.ready, of: occupant.slot)
    }

    /// A process is sent a signal: SIGTERM tells it to end for good, SIGUSR1 to end when its clients have gone, SIGABRT
    /// that it is stuck.
    mutating func signalled(_ pid: pid_t, _ signal: CInt) {
        guard let occupant = occupants[pid] else { return }
        switch signal {
        case SIGTERM, SIGUSR1:
            occupants[pid]?.isStopping = true
            scoreboard.set(.stopping, of: occupant.slot)
        case SIGABRT:
            occupants[pid]?.cause = .stuck
        default: break
        }
    }

    /// A process has ended.
    ///
    /// - Returns: the request that it was handling, which is under suspicion from now on; nil when there was none.
    @discardableResult
    mutating func ended(_ pid: pid_t, _ ending: ProcessDescriptor.Ending) -> Suspect? {
        guard let occupant = occupants.removeValue(forKey: pid) else { return nil }
        // Sessions that a listener has not reaped died with it.
        let killed = occupant.child.role == .stream ? sessions.free(owner: occupant.slot) : 0
        if killed > 0 { scoreboard.countKilledSessions(killed, of: occupant.slot) }
        let suspect = scoreboard.recordDeath(ofSlot: occupant.slot, wall: Clock.wall())
        vacate(occupant, ending)
        return suspect
    }

    private func vacate(_ occupant: Occupant, _ ending: ProcessDescriptor.Ending) {
        if occupant.isStopping { return scoreboard.end(occupant.slot) }
        let cause: RestartCause =
            switch ending {
            case .exited: .exit
            case .killed: .signal
            }
        // A successor exists already: nobody waits for this slot.
        if occupants.values.contains(where: { $0.child == occupant.child }) {
            scoreboard.countRestart(occupant.slot, occupant.cause ?? cause)
            return scoreboard.end(occupant.slot)
        }
        scoreboard.restart(occupant.slot, occupant.cause ?? cause, startAt: Clock.wall())
    }

    /// A child is started again only after so many nanoseconds.
    func pausing(_ child: Child, _ pause: Int64) {
        scoreboard.pause("\(child)", until: Clock.wall() + pause / 1_000)
    }

    /// The requests that a process has answered.
    func answered(by pid: pid_t) -> UInt64 {
        guard let occupant = occupants[pid], let reading = scoreboard.reading(of: occupant.slot) else { return 0 }
        return reading.requestCount &- occupant.requestsBefore
    }

    /// What tells whether a process is stuck; nil when it has no slot.
    func vitals(of pid: pid_t) -> Vitals? {
        occupants[pid].flatMap { scoreboard.vitals(of: $0.slot) }
    }
}

extension Child {
    var slotRole: ProcessRole {
        switch role {
        case .storage: .storage
        case .worker: .worker
        case .stream: .stream
        }
    }
}
