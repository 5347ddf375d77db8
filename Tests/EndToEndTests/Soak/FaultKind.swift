import RecordedInputs

/// What is done to a service, a fault a second.
enum FaultKind: String, CaseIterable, Sendable {
    case workerKilled = "worker killed"
    case bulkWorkerKilled = "worker for bulks killed"
    case workerStopped = "worker stopped"
    case storageKilled = "storage killed"
    case storageStopped = "storage stopped"
    case sessionKilled = "session killed"
    case listenerKilled = "listener killed"
    case watchdogKilled = "watchdog killed"
    case postgreSQLCrashed = "PostgreSQL crashed"
    case postgreSQLStopped = "PostgreSQL stopped"
    case redisKilled = "Redis killed"
    case redisStopped = "Redis stopped"
    case nginxStopped = "nginx worker stopped"
    case nginxReloaded = "nginx reloaded"
    case reloaded = "Mesher reloaded"

    /// What is away for some seconds; nil when there is nothing to bring back.
    var server: String? {
        switch self {
        case .postgreSQLCrashed, .postgreSQLStopped: "PostgreSQL"
        case .redisKilled, .redisStopped: "Redis"
        case .workerStopped: "worker"
        case .storageStopped: "storage"
        case .nginxStopped: "nginx"
        default: nil
        }
    }

    /// One fault of a plan, and for how many seconds its server is away.
    struct Planned: CustomStringConvertible {
        let kind: FaultKind
        let seconds: Int

        var description: String { kind.rawValue + (seconds > 0 ? ", for \(seconds) s" : "") }
    }

    /// A fault for each second, the same for the same seed: all kinds equally often, in an order by chance, and none of a
    /// server that is away.
    static func plan(seconds: Int, seed: UInt64) -> [Planned] {
        var generator = SplitMix(seed: seed)
        var deck: [FaultKind] = []
        var awayUntil: [String: Int] = [:]
        return (0..<seconds).map { second in
            if deck.count <= 4 { deck += allCases.shuffled(using: &generator) }
            let place = deck.firstIndex { awayUntil[$0.server ?? "", default: 0] <= second } ?? 0
            let kind = deck.remove(at: place)
            guard let server = kind.server else { return Planned(kind: kind, seconds: 0) }
            let away = Int.random(in: 1...6, using: &generator)
            awayUntil[server] = second + away + 1
            return Planned(kind: kind, seconds: away)
        }
    }
}
