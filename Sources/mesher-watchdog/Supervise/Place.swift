internal import Glibc

/// What the supervisor keeps filled with a process: the current one, the successor that is being started to take over,
/// and those that were told to end.
struct Place {
    enum State {
        case launching
        case starting(pid_t, since: Int64)
        case ready(pid_t, since: Int64)
        case waiting(until: Int64)
        /// Filled again as soon as the last of `outgoing` has ended: storage binds its socket itself, so there is never a
        /// second one beside it.
        case vacated
        /// Without a process, permanently.
        case ended

        var pid: pid_t? {
            switch self {
            case .starting(let pid, _), .ready(let pid, _): pid
            case .launching, .waiting, .vacated, .ended: nil
            }
        }

        var isReady: Bool {
            if case .ready = self { true } else { false }
        }
    }

    /// A process that was told to end, and when it is killed; nil once it was.
    struct Outgoing {
        let pid: pid_t
        var killAt: Int64?
        /// It ends when its clients have left. Only a stop waits for that.
        var isDraining = false
    }

    let child: Child
    var state = State.ended
    /// On its way to become `state`: launching or starting, nil when none is wanted.
    var successor: State?
    var outgoing: [Outgoing] = []
    var policy = RestartPolicy()
    /// Whether it goes when its last process has ended.
    var isLeaving = false
    /// After a successor that died early, it is not replaced before this time.
    var mayBeReplacedAt: Int64 = 0

    init(_ child: Child) {
        self.child = child
    }

    /// Every process it has.
    var pids: [pid_t] {
        current + outgoing.map(\.pid)
    }

    /// The processes that were not told to end.
    var current: [pid_t] {
        [state.pid, successor?.pid].compactMap(\.self)
    }

    /// Whether processes that were told to end, and are not draining, still live.
    var awaitsEnd: Bool {
        outgoing.contains { !$0.isDraining }
    }

    /// Whether it has a process, or will have one before anything else happens.
    var isAlive: Bool {
        if case .ended = state { successor != nil || !outgoing.isEmpty } else { true }
    }

    /// The next time at which something is due here.
    var wakeAt: Int64? {
        var moments = outgoing.compactMap(\.killAt)
        if case .waiting(let moment) = state { moments.append(moment) }
        return moments.min()
    }
}
