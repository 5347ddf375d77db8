internal import Glibc

/// Decides which children to start, to signal and when to end. It makes no system call and reads no clock: it is told what
/// happened, and returns what to do. Times are nanoseconds of one clock that never steps back.
struct Supervisor {
    /// What the watchdog does, in this order.
    enum Action: Equatable {
        /// To be answered with `started` or `failedToStart` before anything else is told.
        case start(Child)
        case signal(pid_t, CInt)
        case tell(Notice)
        /// The reload is over: nil when everything runs with the new settings; after a failure the old ones apply
        /// again.
        case endReload(ReloadFailure?)
        /// The last one: no process is alive.
        case exit(CInt)
    }

    /// What the operator should know.
    enum Notice: Equatable {
        /// A child is restarted after this many nanoseconds.
        case pause(Child, Int64)
        case stopping
        /// It did not end within its time.
        case killing(Child, pid_t)
        case noWorkerReady
        /// The new process did not become ready; the old one stays.
        case notReplaced(Child)
    }

    /// How long the host may be without a ready worker before the watchdog gives up, so that systemd sees it.
    static let usualPatience: Int64 = 60_000_000_000

    var places: [Place]
    var replacements = Replacements()
    var stopSequence: StopSequence?
    private let jitter: () -> Double
    private let patienceWithWorkers: Int64
    /// When to give up; nil while a worker is ready.
    private var giveUpAt: Int64?

    /// - Parameters:
    ///   - children: each started once by `begin`, and again whenever it dies.
    ///   - patience: how long no worker may be ready.
    ///   - jitter: numbers from 0 to 1, see `RestartPolicy`.
    init(
        _ children: [Child], patience: Int64 = Self.usualPatience,
        jitter: @escaping () -> Double = { .random(in: 0...1) }
    ) {
        places = children.map(Place.init)
        patienceWithWorkers = patience
        self.jitter = jitter
    }

    // MARK: What happens

    /// Starts everything, in the order given.
    mutating func begin(now: Int64) -> [Action] {
        noteWorkers(now)
        return places.indices.map { launch($0) }
    }

    mutating func started(_ child: Child, _ pid: pid_t, now: Int64) -> [Action] {
        guard let index = places.firstIndex(where: { $0.child == child }) else { return [] }
        if case .launching = places[index].successor {
            places[index].successor = .starting(pid, since: now)
        } else {
            places[index].state = .starting(pid, since: now)
        }
        // Its start was requested before the place began to leave.
        if places[index].isLeaving { return retire(index, now) }
        guard let stopSequence, stopSequence.includes(child) else { return [] }
        return [.signal(pid, stopSequence.signal)]
    }

    /// The program could not be started: an early death.
    mutating func failedToStart(_ child: Child, now: Int64) -> [Action] {
        guard let index = places.firstIndex(where: { $0.child == child }) else { return [] }
        if case .launching = places[index].successor { return loseSuccessor(index, now) }
        return end(index, lived: 0, wasReady: false, now)
    }

    /// The process says that it can do its work.
    mutating func ready(_ pid: pid_t, now: Int64) -> [Action] {
        guard stopSequence == nil, let index = index(of: pid) else { return [] }
        var actions: [Action] = []
        if case .starting(pid, let since) = places[index].state {
            places[index].state = .ready(pid, since: since)
            if places[index].successor == nil { replacements.isReady(places[index].child) }
        } else if case .starting(pid, let since) = places[index].successor {
            actions = takeOver(index, .ready(pid, since: since), now)
            replacements.isReady(places[index].child)
        }
        noteWorkers(now)
        return actions + advanceReplacements(now)
    }

    mutating func died(_ pid: pid_t, now: Int64) -> [Action] {
        guard let index = index(of: pid) else { return [] }
        if let position = places[index].outgoing.firstIndex(where: { $0.pid == pid }) {
            places[index].outgoing.remove(at: position)
            return outgoingEnded(index, now)
        }
        if places[index].successor?.pid == pid { return loseSuccessor(index, now) }
        switch places[index].state {
        case .starting(_, let since): return end(index, lived: now - since, wasReady: false, now)
        case .ready(_, let since): return end(index, lived: now - since, wasReady: true, now)
        case .launching, .waiting, .vacated, .ended: return []
        }
    }

    /// To be called at `wakeAt` at the latest.
    mutating func timePassed(now: Int64) -> [Action] {
        var actions = killOverdue(now)
        if stopSequence != nil { return actions + loseStopPatience(now) }
        if let giveUpAt, now >= giveUpAt {
            return actions + [.tell(.noWorkerReady)] + stop(exitStatus: EXIT_FAILURE, now)
        }
        for index in places.indices {
            if case .waiting(let moment) = places[index].state, now >= moment { actions.append(launch(index)) }
        }
        return actions + loseReplacementPatience(now)
    }

    /// The next time at which something is due; nil when nothing is.
    var wakeAt: Int64? {
        let others = stopSequence.map { [$0.killAt] } ?? [giveUpAt, replacements.patienceEndsAt]
        return (places.map(\.wakeAt) + others).compactMap(\.self).min()
    }

    // MARK: What is asked

    /// How many of the children that the predicate chooses are ready.
    func readyCount(_ isMeant: (Child) -> Bool) -> Int {
        places.count { $0.state.isReady && isMeant($0.child) }
    }

    /// Whether storage and workers of every kind there is are ready.
    var isServing: Bool {
        Set(places.map(\.child.role)).allSatisfy { role in readyCount { $0.role == role } > 0 }
    }

    /// The state in one line.
    var summary: String {
        if stopSequence != nil { return "stopping" }
        let roles = places.map(\.child.role).reduce(into: [Child.Role]()) { if !$0.contains($1) { $0.append($1) } }
        let parts = roles.map { role in
            let all = places.count { $0.child.role == role }
            return "\(role) \(readyCount { $0.role == role })/\(all)"
        }
        return (isReloading ? "reloading, ready: " : "ready: ") + parts.joined(separator: ", ")
    }

    /// The child whose current, ready process has this ID.
    func child(servedBy pid: pid_t) -> Child? {
        places.first { $0.state.isReady && $0.state.pid == pid }?.child
    }
}

extension Supervisor {
    func index(of pid: pid_t) -> Int? {
        places.firstIndex { $0.pids.contains(pid) }
    }

    mutating func launch(_ index: Int) -> Action {
        places[index].state = .launching
        return .start(places[index].child)
    }

    /// The current process is gone.
    private mutating func end(_ index: Int, lived: Int64, wasReady: Bool, _ now: Int64) -> [Action] {
        if stopSequence != nil {
            places[index].state = .ended
            return advanceStop(now)
        }
        if places[index].isLeaving {
            places.remove(at: index)
            return advanceReplacements(now)
        }
        if let successor = places[index].successor {
            places[index].state = successor
            places[index].successor = nil
            noteWorkers(now)
            return []
        }
        let child = places[index].child
        let pause = places[index].policy.pause(afterLiving: lived, wasReady: wasReady, jitter: jitter())
        places[index].state = .waiting(until: now + pause)
        noteWorkers(now)
        let failure = replacementDied(child, now)
        return failure + (pause == 0 ? [launch(index)] : [.tell(.pause(child, pause))])
    }

    /// The successor is gone; the current process stays.
    private mutating func loseSuccessor(_ index: Int, _ now: Int64) -> [Action] {
        places[index].successor = nil
        if stopSequence != nil { return advanceStop(now) }
        if places[index].isLeaving { return retire(index, now) }
        let pause = places[index].policy.pause(afterLiving: 0, wasReady: false, jitter: jitter())
        places[index].mayBeReplacedAt = now + pause
        return replacementDied(places[index].child, now)
    }

    private mutating func outgoingEnded(_ index: Int, _ now: Int64) -> [Action] {
        if stopSequence != nil { return advanceStop(now) }
        var actions: [Action] = []
        if places[index].isLeaving {
            if !places[index].isAlive { places.remove(at: index) }
        } else if case .vacated = places[index].state, places[index].outgoing.isEmpty {
            actions.append(launch(index))
        }
        return actions + advanceReplacements(now)
    }

    private mutating func killOverdue(_ now: Int64) -> [Action] {
        var actions: [Action] = []
        for index in places.indices {
            for position in places[index].outgoing.indices {
                let process = places[index].outgoing[position]
                guard let killAt = process.killAt, now >= killAt else { continue }
                places[index].outgoing[position].killAt = nil
                actions += [.tell(.killing(places[index].child, process.pid)), .signal(process.pid, SIGKILL)]
            }
        }
        return actions
    }

    /// Notices when the time without a ready worker begins and ends.
    mutating func noteWorkers(_ now: Int64) {
        let hasReadyWorker = readyCount(\.isWorker) > 0
        if hasReadyWorker || !places.contains(where: \.child.isWorker) {
            giveUpAt = nil
        } else if giveUpAt == nil {
            giveUpAt = now + patienceWithWorkers
        }
    }
}
