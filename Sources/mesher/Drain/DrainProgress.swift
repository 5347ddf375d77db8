/// How far a host is drained: what it still has that PostgreSQL has not.
struct DrainProgress: Equatable {
    /// What storage says of itself.
    struct Storage: Equatable {
        /// Whether it refuses every new event.
        var isDraining = true
        /// Events that were accepted by it and not answered.
        var eventsInHand = 0
        /// Events in the spool, as far as they are counted.
        var spooled: UInt64 = 0
        var reachesPostgreSQL = true
    }

    /// Whether the watchdog runs.
    var isServiceRunning = true
    /// Nil while storage does not run, or has said nothing yet.
    var storage: Storage? = Storage()
    /// Whether there are segments in the spool that this release can read.
    var hasSpool = false
    /// Why others cannot be delivered by it.
    var unreadable: [String] = []
    /// Items in the quarantine.
    var quarantined = 0

    /// What is left and goes away by itself.
    private var waiting: [String] {
        guard isServiceRunning else { return [] }
        guard let storage else { return ["storage does not run"] }
        guard storage.isDraining else { return ["storage does not refuse events yet"] }
        var left: [String] = []
        if storage.eventsInHand > 0 { left.append("\(Self.count(storage.eventsInHand, "event")) in flight") }
        if hasSpool || storage.spooled > 0 {
            let events = storage.spooled > 0 ? Self.count(Int(clamping: storage.spooled), "event") : "events"
            let reason = storage.reachesPostgreSQL ? "" : ", and PostgreSQL takes none"
            left.append("\(events) in the spool\(reason)")
        }
        return left
    }

    /// What is left until somebody does something about it.
    private var resting: [String] {
        var left = unreadable
        if !isServiceRunning, hasSpool {
            left.append("events in the spool, and the service does not run: start it, or mesher spool drain")
        }
        if quarantined > 0 {
            left.append("\(Self.count(quarantined, "item")) in the quarantine: mesher quarantine list")
        }
        return left
    }

    /// All that is left; empty when the host is drained.
    var left: [String] { waiting + resting }

    /// Whether there is less to be expected after a while.
    var isMoving: Bool { !waiting.isEmpty }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
