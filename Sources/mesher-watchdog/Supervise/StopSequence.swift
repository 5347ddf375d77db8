internal import Glibc

/// The shutdown, which only moves forward: first the edges finish what is in flight, then storage, which they need for
/// that. Each stage gets SIGTERM, and SIGKILL when its patience ends.
struct StopSequence {
    enum Stage {
        case edges, storage, finished
    }

    /// How long a stage may take before it is killed, in nanoseconds.
    static let patience: Int64 = 30_000_000_000

    private(set) var stage = Stage.edges
    /// When this stage is killed; nil once it was, and when nothing is left to stop.
    private(set) var killAt: Int64?
    /// What the watchdog exits with at the end.
    let exitStatus: CInt

    init(exitStatus: CInt, now: Int64) {
        self.exitStatus = exitStatus
        killAt = now + Self.patience
    }

    /// Whether the child ends in this stage.
    func includes(_ child: Child) -> Bool {
        switch stage {
        case .edges: child.isEdge
        case .storage: !child.isEdge
        case .finished: false
        }
    }

    /// The signal for a child of this stage.
    var signal: CInt {
        killAt == nil ? SIGKILL : SIGTERM
    }

    /// Moves to the next stage, once no process of this one is alive.
    mutating func advance(now: Int64) {
        switch stage {
        case .edges:
            stage = .storage
            killAt = now + Self.patience
        case .storage, .finished:
            stage = .finished
            killAt = nil
        }
    }

    /// Whether the patience with this stage has just ended; true only once per stage.
    mutating func losesPatience(now: Int64) -> Bool {
        guard let moment = killAt, now >= moment else { return false }
        killAt = nil
        return true
    }
}

extension Supervisor {
    /// Stops everything in order; a second call changes nothing.
    mutating func stop(now: Int64) -> [Action] {
        stop(exitStatus: EXIT_SUCCESS, now)
    }

    mutating func stop(exitStatus: CInt, _ now: Int64) -> [Action] {
        guard stopSequence == nil else { return [] }
        stopSequence = StopSequence(exitStatus: exitStatus, now: now)
        let endReload: [Action] = isReloading ? [.endReload(.stopping)] : []
        replacements = Replacements()
        for index in places.indices {
            switch places[index].state {
            case .waiting, .vacated: places[index].state = .ended
            case .launching, .starting, .ready, .ended: break
            }
        }
        return endReload + [.tell(.stopping)] + signalStage() + advanceStop(now)
    }

    /// Leaves each stage that has no living process.
    mutating func advanceStop(_ now: Int64) -> [Action] {
        var actions: [Action] = []
        while var sequence = stopSequence, sequence.stage != .finished,
            !places.contains(where: { sequence.includes($0.child) && $0.isAlive })
        {
            sequence.advance(now: now)
            stopSequence = sequence
            actions += signalStage()
            if sequence.stage == .finished { actions.append(.exit(sequence.exitStatus)) }
        }
        return actions
    }

    /// Kills what is left of the stage once its time is over.
    mutating func loseStopPatience(_ now: Int64) -> [Action] {
        guard stopSequence?.losesPatience(now: now) == true else { return [] }
        var actions: [Action] = []
        for index in places.indices where stopSequence?.includes(places[index].child) == true {
            let overdue =
                places[index].current + places[index].outgoing.filter { $0.killAt != nil || $0.isDraining }.map(\.pid)
            for position in places[index].outgoing.indices { places[index].outgoing[position].killAt = nil }
            for pid in overdue { actions += [.tell(.killing(places[index].child, pid)), .signal(pid, SIGKILL)] }
        }
        return actions
    }

    /// Tells the processes of this stage to end, except those that were told before.
    private func signalStage() -> [Action] {
        stageMembers().flatMap { $0.current + $0.outgoing.filter(\.isDraining).map(\.pid) }.map { .signal($0, SIGTERM) }
    }

    private func stageMembers() -> [Place] {
        places.filter { stopSequence?.includes($0.child) == true }
    }
}
