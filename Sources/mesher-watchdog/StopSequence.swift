internal import Glibc

/// The way down, which only moves forward: the edges finish what they have in hand, and only then storage, which they need
/// for that. Each stage gets SIGTERM, and what is left of it after its patience SIGKILL.
struct StopSequence {
    enum Stage {
        case edges, storage, finished
    }

    /// How long a stage may take before it is killed, in nanoseconds.
    static let patience: Int64 = 30_000_000_000

    private(set) var stage = Stage.edges
    /// When the patience with this stage ends; nil once it was killed, and when there is nothing left to stop.
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

    /// What a child of this stage is told.
    var signal: CInt {
        killAt == nil ? SIGKILL : SIGTERM
    }

    /// Goes on to the next stage, when nothing of this one lives any more.
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

    /// Whether the patience with this stage has just ended; true only once a stage.
    mutating func losesPatience(now: Int64) -> Bool {
        guard let moment = killAt, now >= moment else { return false }
        killAt = nil
        return true
    }
}
