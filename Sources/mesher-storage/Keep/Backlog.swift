import Spool

/// Whether what waits on disk moves: how long nothing of it was delivered.
struct Backlog {
    /// Nanoseconds after which it stands still.
    static let patience = FaultPoint.hastened(60_000_000_000)

    /// When something of it was delivered, or when there began to be something; nil while it is empty.
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
