/// Where the suspects are: in the scoreboard behind its slots, so that they outlive the watchdog as the counters do.
///
/// The watchdog writes, edges read. An odd generation says that a record is being written.
enum SuspectTable {
    static let generation = 64
    /// Changed when a slot gets another role.
    static let slotGeneration = 65
    static let start = ScoreboardFile.word(ofSlot: ScoreboardFile.slotCount)
    static let capacity = 256
    /// Maximum number of records of one project, and of requests without a key, so that no project's deaths displace
    /// another's.
    static let projectCapacity = 8
    static let strangerCapacity = 4

    static let recordSize = 12
    static let size = 6 * SlotLayout.size
    enum Record {
        static let requestHigh = 0
        static let requestLow = 1
        static let project = 2
        static let size = 3
        static let hash = 4
        /// 0 for a record that is free.
        static let deaths = 5
        static let diedAt = 6
        static let slot = 7
        static let since = 8
    }

    /// Each record that is taken, with its place.
    static func read(_ memory: borrowing SharedMemory) -> [(place: Int, suspect: Suspect)] {
        var found: [(place: Int, suspect: Suspect)] = []
        for place in 0..<capacity {
            let word = start + place * recordSize
            let deaths = memory[word + Record.deaths]
            guard deaths > 0 else { continue }
            let body = BodyMark(
                project: Int64(bitPattern: memory[word + Record.project]),
                size: Int(clamping: memory[word + Record.size]), hash: memory[word + Record.hash])
            let request =
                UInt128(memory[word + Record.requestHigh]) << 64 | UInt128(memory[word + Record.requestLow])
            found.append(
                (
                    place,
                    Suspect(
                        request: request, body: body, deaths: Int(SlotReading.bounded(deaths)),
                        diedAt: Int64(clamping: memory[word + Record.diedAt]),
                        slot: Int(clamping: memory[word + Record.slot]),
                        since: Int64(clamping: memory[word + Record.since]))
                ))
        }
        return found
    }

    static func write(_ suspect: Suspect, at place: Int, _ memory: borrowing SharedMemory) {
        let word = start + place * recordSize
        let before = memory[generation]
        memory.publish(before | 1, at: generation)
        memory[word + Record.requestHigh] = UInt64(truncatingIfNeeded: suspect.request >> 64)
        memory[word + Record.requestLow] = UInt64(truncatingIfNeeded: suspect.request)
        memory[word + Record.project] = UInt64(bitPattern: suspect.body.project)
        memory[word + Record.size] = UInt64(clamping: suspect.body.size)
        memory[word + Record.hash] = suspect.body.hash
        memory[word + Record.diedAt] = UInt64(clamping: suspect.diedAt)
        memory[word + Record.slot] = UInt64(clamping: suspect.slot)
        memory[word + Record.since] = UInt64(clamping: suspect.since)
        memory[word + Record.deaths] = UInt64(clamping: suspect.deaths)
        memory.publish((before | 1) &+ 1, at: generation)
    }
}

extension SuspectTable {
    /// The place for a new suspect's record. A project at its maximum gives up one of its own; in a full table the
    /// project with the most records does. The least dangerous record goes first, then the oldest.
    static func place(for project: Int64, among known: [(place: Int, suspect: Suspect)]) -> Int {
        let counts = known.reduce(into: [:]) { $0[$1.suspect.body.project, default: 0] += 1 }
        if counts[project] ?? 0 >= (project == 0 ? strangerCapacity : projectCapacity) {
            return least(known.filter { $0.suspect.body.project == project })
        }
        let taken = Set(known.map(\.place))
        if let free = (0..<capacity).first(where: { !taken.contains($0) }) { return free }
        let most = counts.values.max()
        return least(known.filter { counts[$0.suspect.body.project] == most })
    }

    private static func least(_ known: [(place: Int, suspect: Suspect)]) -> Int {
        let least = known.min {
            ($0.suspect.isPoison ? 1 : 0, $0.suspect.diedAt) < ($1.suspect.isPoison ? 1 : 0, $1.suspect.diedAt)
        }
        return least?.place ?? 0
    }
}

extension ScoreboardFile {
    /// The process of a slot has died: what it was handling is under suspicion. To be called before the slot is given to
    /// another.
    ///
    /// - Parameter wall: now, in microseconds since 1970.
    /// - Returns: nil when it was handling nothing.
    package func recordDeath(ofSlot index: Int, wall: Int64) -> Suspect? {
        guard let execution = vitals(of: index)?.execution else { return nil }
        let known = SuspectTable.read(memory)
        let same = known.first { $0.suspect.request == execution.request || $0.suspect.body.isSame(as: execution.body) }
        // A suspect whose hash was seen once keeps it.
        let earlier = same?.suspect.body.hash ?? 0
        let body = execution.body.hash == 0 && earlier != 0 ? same?.suspect.body ?? execution.body : execution.body
        let suspect = Suspect(
            request: execution.request, body: body, deaths: (same?.suspect.deaths ?? 0) + 1, diedAt: wall,
            slot: index, since: execution.since)
        SuspectTable.write(suspect, at: same?.place ?? SuspectTable.place(for: body.project, among: known), memory)
        return suspect
    }

    /// How many suspects of one project are remembered.
    package static var suspectsOfProject: Int { SuspectTable.projectCapacity }

    /// All that killed a process, the latest first.
    package func suspects() -> [Suspect] {
        SuspectTable.read(memory).map(\.suspect).sorted { $0.diedAt > $1.diedAt }
    }

    /// What killed processes in the service of a run directory, for one who only looks; nil when there is no scoreboard.
    package static func suspects(in runDirectory: String) -> [Suspect]? {
        adopt(path(in: runDirectory))?.suspects()
    }

    /// Removes a request from the suspects.
    ///
    /// - Returns: how many records that were; nil when there is no scoreboard.
    package static func forget(in runDirectory: String, _ isMeant: (Suspect) -> Bool) -> Int? {
        guard let file = adopt(path(in: runDirectory)) else { return nil }
        let meant = SuspectTable.read(file.memory).filter { isMeant($0.suspect) }
        for (place, suspect) in meant {
            let body = BodyMark()
            SuspectTable.write(Suspect(request: suspect.request, body: body, deaths: 0), at: place, file.memory)
        }
        return meant.count
    }
}

extension BodyMark {
    /// Whether both are known, and of the same bytes.
    fileprivate func isSame(as other: BodyMark) -> Bool {
        hash != 0 && self == other
    }
}
