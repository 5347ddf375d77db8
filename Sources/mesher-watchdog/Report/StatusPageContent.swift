internal import Configuration
internal import Glibc
internal import Scoreboard
internal import StorageChannel

/// Everything that status and metrics say about one moment.
struct StatusPageContent {
    /// A process that is running, or will be restarted.
    struct Process {
        let reading: SlotReading
        let requestsPerSecond: Double
        /// Resident bytes, nil when it has no process now.
        let memory: Int?
    }

    /// What is known of the sessions as a whole.
    struct Sessions {
        /// Bytes that they hold of what their peers have sent or not read, as far as they have to claim them.
        let claimed: Int
        /// An estimate of their processes' memory; nil when none could be asked for.
        let memory: Int?
        /// Projects whose sessions wait because they use more than their share of the processors.
        let heldBack: [Int64]
    }

    let version: String
    /// Microseconds since 1970.
    let wall: Int64
    /// Nanoseconds of the monotonic clock.
    let now: Int64
    /// Every slot that was ever used, so that the counts of ended processes stay in the totals.
    let readings: [SlotReading]
    let processes: [Process]
    let sessions: Sessions
    /// Whether the socket is there by which single events come.
    let hasSocket: Bool
    let health: [(subject: HealthSubject, reading: HealthReading)]
    let lastReload: ReloadReading?
    let lastMaintenance: MaintenanceRecord?
    let past: RecentPast
    let lines: [RecentLines.Line]

    /// Events by outcome, by the places of `OutcomeLabels`.
    var outcomes: [UInt64] { Self.outcomes(of: readings) }

    private static func outcomes(of readings: [SlotReading]) -> [UInt64] {
        readings.reduce(into: [UInt64](repeating: 0, count: OutcomeLabels.reasons.count + 1)) { total, reading in
            for (place, count) in reading.outcomes.enumerated() { total[place] &+= count }
        }
    }

    /// The largest of one value of all processes.
    func most(_ value: KeyPath<SlotReading, UInt64>) -> UInt64 {
        processes.map { $0.reading[keyPath: value] }.max() ?? 0
    }

    /// The sum of one counter over all slots.
    func total(_ counter: KeyPath<SlotReading, UInt64>) -> UInt64 {
        readings.reduce(0) { $0 &+ $1[keyPath: counter] }
    }

    /// One histogram summed over all slots; nil when there is no slot.
    func total(_ histogram: KeyPath<SlotReading, HistogramReading>) -> HistogramReading? {
        guard var total = readings.first?[keyPath: histogram] else { return nil }
        for reading in readings.dropFirst() { total.add(reading[keyPath: histogram]) }
        return total
    }

    /// Whether all running processes that know a dependency find it up; nil when none knows.
    func isUp(_ dependency: Dependency) -> Bool? {
        let known = processes.compactMap { $0.reading.dependencies[dependency.rawValue] }
        return known.isEmpty ? nil : !known.contains(false)
    }

    /// WebSocket connections, each a process.
    var sessionCount: Int {
        processes.filter { $0.reading.role == .stream }.reduce(0) { $0 + $1.reading.inHand }
    }

    /// The most that `Sessions.claimed` may be; nil when no listener says it.
    var sessionMemoryLimit: Int? {
        processes.compactMap { $0.reading.role == .stream ? $0.reading.sessionMemoryLimit : nil }.max()
    }

    /// When the file of keys last had all keys as PostgreSQL has them, in microseconds since 1970.
    var keysSavedAt: Int64? { readings.compactMap(\.keysSavedAt).max() }

    /// What is counted now of what the recent past is made of.
    static func totals(of readings: [SlotReading]) -> RecentPast.Totals? {
        guard let first = readings.first else { return nil }
        var durations = first.requestDuration
        for reading in readings.dropFirst() { durations.add(reading.requestDuration) }
        return RecentPast.Totals(
            outcomes: outcomes(of: readings), durations: durations,
            delivered: readings.reduce(0) { $0 &+ $1.delivered })
    }

    /// When storage last committed, in microseconds since 1970.
    var lastCommit: Int64? {
        readings.compactMap(\.lastCommit).max()
    }

    private var storage: SlotReading? {
        processes.first { $0.reading.role == .storage }?.reading
    }

    /// Whether an event can be stored now: it reaches a worker, and storage takes it.
    var isReady: Bool { isReachable && storage?.accepts ?? false }

    /// As nginx finds it: without its socket no worker can be asked whether it is ready.
    private var isReachable: Bool {
        let failures = health.first { $0.subject == .events }?.reading.failuresInRow ?? 0
        return hasSocket && failures < HealthCheck.failuresToTell
    }

    /// Each part that may be impaired, and whether it is; nil while storage does not say.
    var degraded: [(name: StaticString, isSo: Bool)]? {
        guard let storage, storage.accepts != nil else { return nil }
        let all = Degradation(rawValue: UInt8(truncatingIfNeeded: storage.degradation))
        return Degradation.names.map { ($0.name, all.contains($0.what)) }
    }

    /// What storage keeps on disk; nil while no storage runs, or has not looked yet.
    var spool: SpoolReading? {
        storage.flatMap { $0.accepts == nil ? nil : $0.spool }
    }

    /// Why the spool cannot be used, an errno(3) in words. The corresponding C function is `strerror`.
    static func words(of code: Int32) -> String {
        code == EWOULDBLOCK ? "another process owns it" : String(cString: strerror(code))
    }

    /// Microseconds between this host's clock and those of the servers that have said theirs.
    var clockDifferences: [(server: Dependency, microseconds: Int64)] {
        let servers: [(Dependency, ProcessRole)] = [(.postgresql, .storage), (.redis, .worker)]
        return servers.compactMap { server, role in
            let known = processes.filter { $0.reading.role == role }.compactMap(\.reading.clockDifference)
            return known.max().map { (server, $0) }
        }
    }

    /// Days after today for which there is a partition already; below 0 when there is not even one for today.
    var partitionsAhead: Int64? {
        let day: Int64 = 86_400_000_000
        return processes.compactMap(\.reading.lastPartition).max().map { $0 - wall / day }
    }
}
