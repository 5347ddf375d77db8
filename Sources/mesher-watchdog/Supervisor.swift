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
        /// The last one: nothing lives any more.
        case exit(CInt)
    }

    /// What the operator should know.
    enum Notice: Equatable {
        /// The next start of a child, so many nanoseconds from now.
        case pause(Child, Int64)
        case stopping
        /// It did not end within its time.
        case killing(Child, pid_t)
        case noWorkerReady
    }

    private enum State {
        case launching
        case starting(pid_t, since: Int64)
        case ready(pid_t, since: Int64)
        case waiting(until: Int64)
        /// Without a process, for good.
        case ended

        var pid: pid_t? {
            switch self {
            case .starting(let pid, _), .ready(let pid, _): pid
            case .launching, .waiting, .ended: nil
            }
        }
    }

    /// How long the host may be without a ready worker before the watchdog gives up, so that systemd sees it.
    static let patienceWithWorkers: Int64 = 60_000_000_000

    private struct Place {
        let child: Child
        var state: State
        var policy = RestartPolicy()
    }

    private var places: [Place]
    private let jitter: () -> Double
    /// When to give up; nil while a worker is ready.
    private var giveUpAt: Int64?
    private var stopSequence: StopSequence?

    /// - Parameters:
    ///   - children: each started once by `begin`, and again whenever it dies.
    ///   - jitter: numbers from 0 to 1, see `RestartPolicy`.
    init(_ children: [Child], jitter: @escaping () -> Double = { .random(in: 0...1) }) {
        places = children.map { Place(child: $0, state: .ended) }
        self.jitter = jitter
    }

    /// Starts everything, in the order given.
    mutating func begin(now: Int64) -> [Action] {
        if places.contains(where: { $0.child.isEdge }) { giveUpAt = now + Self.patienceWithWorkers }
        return places.indices.map { launch($0) }
    }

    mutating func started(_ child: Child, _ pid: pid_t, now: Int64) -> [Action] {
        guard let index = places.firstIndex(where: { $0.child == child }) else { return [] }
        places[index].state = .starting(pid, since: now)
        // It was asked for before the stop was.
        guard let stopSequence, stopSequence.includes(child) else { return [] }
        return [.signal(pid, stopSequence.signal)]
    }

    /// The program could not be started: an early death.
    mutating func failedToStart(_ child: Child, now: Int64) -> [Action] {
        guard let index = places.firstIndex(where: { $0.child == child }) else { return [] }
        return end(index, lived: 0, wasReady: false, now)
    }

    /// The process says that it can do its work.
    mutating func ready(_ pid: pid_t) {
        guard let index = index(of: pid), case .starting(_, let since) = places[index].state else { return }
        places[index].state = .ready(pid, since: since)
        if places[index].child.isEdge { giveUpAt = nil }
    }

    mutating func died(_ pid: pid_t, now: Int64) -> [Action] {
        guard let index = index(of: pid) else { return [] }
        switch places[index].state {
        case .starting(_, let since): return end(index, lived: now - since, wasReady: false, now)
        case .ready(_, let since): return end(index, lived: now - since, wasReady: true, now)
        case .launching, .waiting, .ended: return []
        }
    }

    /// Ends everything in order; asking again changes nothing.
    mutating func stop(now: Int64) -> [Action] {
        stop(exitStatus: EXIT_SUCCESS, now)
    }

    /// To be told at the latest at `wakeAt`.
    mutating func timePassed(now: Int64) -> [Action] {
        if stopSequence != nil {
            guard stopSequence?.losesPatience(now: now) == true else { return [] }
            return stageMembers().flatMap { child, pid in [.tell(.killing(child, pid)), .signal(pid, SIGKILL)] }
        }
        if let giveUpAt, now >= giveUpAt {
            return [.tell(.noWorkerReady)] + stop(exitStatus: EXIT_FAILURE, now)
        }
        return places.indices.compactMap { index in
            guard case .waiting(let moment) = places[index].state, now >= moment else { return nil }
            return launch(index)
        }
    }

    /// When the next thing is due by the clock alone, nil when nothing is.
    var wakeAt: Int64? {
        if let stopSequence { return stopSequence.killAt }
        let starts = places.compactMap { if case .waiting(let moment) = $0.state { moment } else { nil } }
        return (starts + [giveUpAt].compactMap(\.self)).min()
    }
}

extension Supervisor {
    private func index(of pid: pid_t) -> Int? {
        places.firstIndex { $0.state.pid == pid }
    }

    private mutating func launch(_ index: Int) -> Action {
        places[index].state = .launching
        return .start(places[index].child)
    }

    private mutating func end(_ index: Int, lived: Int64, wasReady: Bool, _ now: Int64) -> [Action] {
        if stopSequence != nil {
            places[index].state = .ended
            return advanceStop(now)
        }
        let child = places[index].child
        let pause = places[index].policy.pause(afterLiving: lived, wasReady: wasReady, jitter: jitter())
        places[index].state = .waiting(until: now + pause)
        if child.isEdge && giveUpAt == nil && !hasReadyWorker { giveUpAt = now + Self.patienceWithWorkers }
        return pause == 0 ? [launch(index)] : [.tell(.pause(child, pause))]
    }

    private var hasReadyWorker: Bool {
        places.contains { if case .ready = $0.state { $0.child.isEdge } else { false } }
    }

    private mutating func stop(exitStatus: CInt, _ now: Int64) -> [Action] {
        guard stopSequence == nil else { return [] }
        stopSequence = StopSequence(exitStatus: exitStatus, now: now)
        for index in places.indices {
            if case .waiting = places[index].state { places[index].state = .ended }
        }
        return [.tell(.stopping)] + stageMembers().map { .signal($0.pid, SIGTERM) } + advanceStop(now)
    }

    /// The processes that end in the present stage.
    private func stageMembers() -> [(child: Child, pid: pid_t)] {
        places.compactMap { place in
            guard let stopSequence, stopSequence.includes(place.child), let pid = place.state.pid else { return nil }
            return (place.child, pid)
        }
    }

    /// Leaves each stage of which nothing lives any more.
    private mutating func advanceStop(_ now: Int64) -> [Action] {
        var actions: [Action] = []
        while var sequence = stopSequence, sequence.stage != .finished, !isStageAlive(sequence) {
            sequence.advance(now: now)
            stopSequence = sequence
            actions += stageMembers().map { .signal($0.pid, SIGTERM) }
            if sequence.stage == .finished { actions.append(.exit(sequence.exitStatus)) }
        }
        return actions
    }

    private func isStageAlive(_ sequence: StopSequence) -> Bool {
        places.contains { place in
            if case .ended = place.state { return false }
            return sequence.includes(place.child)
        }
    }
}
