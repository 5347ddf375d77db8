import Spool

/// Whether the spool makes progress: how long nothing was delivered from it.
struct Backlog {
    /// Nanoseconds without progress after which it counts as stuck.
    static let patience = FaultPoint.hastened(60_000_000_000)

    /// When something was last delivered, or when it began to fill; nil while it is empty.
    private var movedAt: Int64?

    /// How it is now.
    mutating func note(isEmpty: Bool, now: Int64) {
        if isEmpty { movedAt = nil } else if movedAt == nil { movedAt = now }
    }

    /// Something of it was delivered or set aside.
    mutating func moved(now: Int64) {
        movedAt = now
    }

    func standsStill(now: Int64) -> Bool {
        movedAt.map { now - $0 >= Self.patience } ?? false
    }
}
