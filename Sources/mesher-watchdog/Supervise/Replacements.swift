internal import Glibc

/// The children whose processes are to be replaced, one after the other: all of them for a reload, or a single one that
/// has reached its limits.
struct Replacements {
    /// Nanoseconds until a successor must be ready, including the end of its predecessor.
    static let patience: Int64 = 60_000_000_000

    /// The child whose turn it is.
    struct Turn {
        let child: Child
        let patienceEndsAt: Int64
        /// Whether the new process does the work, so that only the old one's end is waited for.
        var isReady = false
    }

    /// A reload that is under way.
    struct Reload {
        /// The children at the end.
        let children: [Child]
        /// Children that did not exist before.
        var added: [Child] = []
    }

    var waiting: [Child] = []
    var turn: Turn?
    var reload: Reload?

    var patienceEndsAt: Int64? {
        turn.flatMap { $0.isReady ? nil : $0.patienceEndsAt }
    }

    mutating func isReady(_ child: Child) {
        if turn?.child == child { turn?.isReady = true }
    }
}

/// Why a reload has failed: at which child, and how.
enum ReloadFailure: Equatable {
    case died(Child)
    case notReady(Child)
    case stopping
}

extension Supervisor {
    /// Nanoseconds until a process that was told to end is killed, and one that was aborted.
    static let endPatience: Int64 = 30_000_000_000
    static let abortPatience: Int64 = 1_000_000_000

    var isReloading: Bool { replacements.reload != nil }

    /// Replaces every process, edges first, so that they run with other settings. The number of workers becomes the one
    /// given. Ends with the action `endReload`; must not be asked for while a reload is under way.
    mutating func reload(_ children: [Child], now: Int64) -> [Action] {
        guard stopSequence == nil else { return [.endReload(.stopping)] }
        replacements.reload = Replacements.Reload(children: children)
        replacements.waiting = children.filter(\.isEdge) + children.filter { !$0.isEdge }
        return advanceReplacements(now)
    }

    /// Replaces a single ready process, unless it is being replaced already or that has just failed.
    mutating func replace(_ pid: pid_t, now: Int64) -> [Action] {
        guard stopSequence == nil, !isReloading, let place = places.first(where: { $0.state.pid == pid }),
            place.state.isReady, !place.isLeaving, now >= place.mayBeReplacedAt,
            replacements.turn?.child != place.child, !replacements.waiting.contains(place.child)
        else { return [] }
        replacements.waiting.append(place.child)
        return advanceReplacements(now)
    }

    /// Ends a process that makes no progress, and starts another at once.
    mutating func stuck(_ pid: pid_t, now: Int64) -> [Action] {
        guard stopSequence == nil, let index = places.firstIndex(where: { $0.state.pid == pid }) else { return [] }
        let successor = places[index].successor ?? (places[index].child.isEdge ? .launching : .vacated)
        let needsStart = places[index].successor == nil && places[index].child.isEdge
        places[index].successor = nil
        places[index].state = successor
        places[index].outgoing.append(Place.Outgoing(pid: pid, killAt: now + Self.abortPatience))
        noteWorkers(now)
        return [.signal(pid, SIGABRT)] + (needsStart ? [launch(index)] : [])
    }

    /// Adds a worker for single events.
    mutating func addWorker(now: Int64) -> [Action] {
        guard stopSequence == nil else { return [] }
        let taken = Set(places.filter { $0.child.listener == .events }.map(\.child.number))
        let number = (0...taken.count).first { !taken.contains($0) } ?? taken.count
        places.append(Place(Child(role: .worker(.events), number: number)))
        return [launch(places.count - 1)]
    }

    /// Removes a worker for single events; the last one stays.
    mutating func removeWorker(now: Int64) -> [Action] {
        let staying = places.filter { $0.child.listener == .events && !$0.isLeaving }
        guard stopSequence == nil, staying.count > 1,
            let child = staying.max(by: { $0.child.number < $1.child.number })?.child
        else { return [] }
        return leave(child, now) + advanceReplacements(now)
    }

    // MARK: A turn

    /// Begins the next turn when there is none, or the last is over.
    mutating func advanceReplacements(_ now: Int64) -> [Action] {
        guard stopSequence == nil else { return [] }
        var actions: [Action] = []
        while true {
            if let turn = replacements.turn {
                let place = places.first { $0.child == turn.child && !$0.isLeaving }
                guard let place, !(turn.isReady && !place.awaitsEnd) else {
                    replacements.turn = nil
                    continue
                }
                return actions
            }
            guard !replacements.waiting.isEmpty else { break }
            actions += beginTurn(replacements.waiting.removeFirst(), now)
        }
        if let reload = replacements.reload {
            replacements.reload = nil
            let surplus = places.map(\.child).filter { !reload.children.contains($0) }
            for child in surplus { actions += leave(child, now) }
            actions.append(.endReload(nil))
        }
        return actions
    }

    private mutating func beginTurn(_ child: Child, _ now: Int64) -> [Action] {
        if !places.contains(where: { $0.child == child }) {
            guard isReloading else { return [] }
            replacements.reload?.added.append(child)
            places.append(Place(child))
        }
        guard let index = places.firstIndex(where: { $0.child == child && !$0.isLeaving }) else { return [] }
        replacements.turn = Replacements.Turn(child: child, patienceEndsAt: now + Replacements.patience)
        switch places[index].state {
        case .ended, .waiting:
            return [launch(index)]
        case .starting, .ready:
            guard child.isEdge else {
                let actions = retire(index, now)
                places[index].state = .vacated
                return actions
            }
            places[index].successor = .launching
            return [.start(child)]
        case .launching, .vacated:
            return []
        }
    }

    /// The successor becomes the current process, and the old one ends.
    mutating func takeOver(_ index: Int, _ successor: Place.State, _ now: Int64) -> [Action] {
        places[index].successor = nil
        let actions = retire(index, now)
        places[index].state = successor
        return actions
    }

    /// Tells all processes of a place to end that were not told before: at once, or when their clients have gone.
    mutating func retire(_ index: Int, _ now: Int64) -> [Action] {
        let pids = places[index].current
        let drains = places[index].child.outlivesReplacement
        places[index].outgoing += pids.map {
            Place.Outgoing(pid: $0, killAt: drains ? nil : now + Self.endPatience, isDraining: drains)
        }
        places[index].state = .ended
        places[index].successor = nil
        return pids.map { .signal($0, drains ? SIGUSR1 : SIGTERM) }
    }

    private mutating func leave(_ child: Child, _ now: Int64) -> [Action] {
        guard let index = places.firstIndex(where: { $0.child == child && !$0.isLeaving }) else { return [] }
        places[index].isLeaving = true
        if case .launching = places[index].state { return [] }
        if case .launching = places[index].successor { return [] }
        let actions = retire(index, now)
        if !places[index].isAlive { places.remove(at: index) }
        noteWorkers(now)
        return actions
    }

    // MARK: Failures

    /// A process of this child has died before it was ready.
    mutating func replacementDied(_ child: Child, _ now: Int64) -> [Action] {
        guard let turn = replacements.turn, turn.child == child, !turn.isReady else { return [] }
        return fail(.died(child), now)
    }

    mutating func loseReplacementPatience(_ now: Int64) -> [Action] {
        guard let turn = replacements.turn, !turn.isReady, now >= turn.patienceEndsAt else { return [] }
        var actions: [Action] = []
        if let index = places.firstIndex(where: { $0.child == turn.child }), let pid = places[index].successor?.pid {
            places[index].successor = nil
            places[index].outgoing.append(Place.Outgoing(pid: pid))
            places[index].mayBeReplacedAt = now + Replacements.patience
            actions = [.signal(pid, SIGKILL)]
        }
        return actions + fail(.notReady(turn.child), now)
    }

    /// Ends the turn, and a reload with it: what was replaced stays, what was added is removed.
    private mutating func fail(_ failure: ReloadFailure, _ now: Int64) -> [Action] {
        guard let child = replacements.turn?.child else { return [] }
        replacements.turn = nil
        var actions: [Action] = [.tell(.notReplaced(child))]
        if let reload = replacements.reload {
            replacements.reload = nil
            replacements.waiting = []
            actions.append(.endReload(failure))
            for child in reload.added { actions += leave(child, now) }
        }
        return actions + advanceReplacements(now)
    }
}
