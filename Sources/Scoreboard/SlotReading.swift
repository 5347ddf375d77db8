/// A reading of a slot. Each number is consistent by itself; together they may be some nanoseconds apart.
///
/// A process that was taken over may have written anything. So everything but counters is bounded here: sums over all
/// slots cannot overflow, nor can differences of two times.
package struct SlotReading: Sendable {
    package let index: Int
    package let role: ProcessRole
    /// The place that the process fills, such as "worker events 0".
    package let name: String
    package let pid: Int32
    package let state: ProcessState
    /// Microseconds since 1970.
    package let started: Int64
    /// When a process in state `waiting` is started again, in microseconds since 1970.
    package let startAt: Int64
    /// In the order of `RestartCause.allCases`.
    package let restarts: [UInt64]
    package let vitals: Vitals
    /// Its requests (an edge) or events (storage) in flight.
    package let inHand: Int
    /// In the order of `Dependency.allCases`; nil where nothing is known of it.
    package let dependencies: [Bool?]
    /// Its own account of its sandbox, see `Sandbox.Bonds`; a listener reports its sessions'.
    package let bonds: UInt64
    package let rateLimitFallbacks: UInt64
    /// See `NearLimits`, in no order.
    package let nearLimits: [NearLimits.Project]
    /// Projects whose bodies wait for their turn.
    package let projectsWaiting: UInt64
    package let droppedLogLines: UInt64
    /// Microseconds since 1970, nil before the first.
    package let lastCommit: Int64?
    /// The last day with a partition, counted from 1970-01-01.
    package let lastPartition: Int64?
    /// Microseconds between this host's clock and PostgreSQL's, for storage, or Redis's, for a worker.
    package let clockDifference: Int64?
    /// When the file of keys last had all keys as PostgreSQL has them, in microseconds since 1970; nil when that is unknown.
    package let keysSavedAt: Int64?
    /// What spool and quarantine hold now.
    package let spool: SpoolReading
    /// Whether storage can store an event; nil where nothing is known of that.
    package let accepts: Bool?
    /// What is impaired for storage, as `Degradation` bits.
    package let degradation: UInt64
    /// Events that were ever written to the spool, delivered from it, set aside.
    package let spooled: UInt64
    package let delivered: UInt64
    package let quarantined: UInt64
    /// By the places of `OutcomeLabels`.
    package let outcomes: [UInt64]
    /// By route, in the order of `RequestRoute.allCases`, and by status, in the order of `RequestStatus.names`.
    package let requests: [[UInt64]]
    /// Events that clients say they dropped, by the places of `ClientDiscardLabels`.
    package let clientDiscards: [UInt64]
    package let requestDuration: HistogramReading
    package let batchSize: HistogramReading
    package let commitDuration: HistogramReading
    package let sessionsOpened: UInt64
    package let streamMessages: UInt64
    /// The most bytes that sessions together hold of what their peers have sent or not read; nil when that is unknown.
    package let sessionMemoryLimit: Int?
    /// By status, in the order of `RefusedUpgrade.names`.
    package let upgradesRefused: [UInt64]
    /// In the order of `SessionEnding.allCases`.
    package let sessionsClosed: [UInt64]

    /// All requests that were answered.
    package var requestCount: UInt64 { requests.joined().reduce(0, &+) }
}

/// What the spool and the quarantine of a host hold.
package struct SpoolReading: Equatable, Sendable {
    package let events: UInt64
    /// Bytes of both.
    package let bytes: UInt64
    /// The most bytes; 0 when nothing may be kept.
    package let limit: UInt64
    /// When the oldest event was received, in microseconds since 1970; nil while the spool is empty.
    package let oldest: Int64?
    /// Files in the quarantine.
    package let quarantine: UInt64
    /// Bytes and inodes that its file system has left; nil where that is unknown.
    package let room: UInt64?
    package let files: UInt64?
    /// Why it cannot be used, errno(3); 0 when it can.
    package let fault: Int32
}

/// What tells a stuck process.
package struct Vitals: Equatable, Sendable {
    /// What one request carried is being handled.
    package struct Execution: Equatable, Sendable {
        package let request: UInt128
        package var body = BodyMark()
        /// Nanoseconds of the monotonic clock.
        package let since: Int64
    }

    /// When the loop last began a turn, in nanoseconds of the monotonic clock; nil before the first.
    package let heartbeat: Int64?
    package let execution: Execution?
}

extension SlotReading {
    /// - Parameter own: what the watchdog has written into the slot.
    /// - Returns: nil for a slot that was never used.
    init?(_ memory: borrowing SharedMemory, slot index: Int, own: [UInt64]) {
        let start = ScoreboardFile.word(ofSlot: index)
        guard let role = ProcessRole(rawValue: own[SlotLayout.role]),
            let state = ProcessState(rawValue: own[SlotLayout.state])
        else { return nil }
        (self.index, self.role, self.state) = (index, role, state)
        name = Self.name(own)
        pid = Int32(truncatingIfNeeded: own[SlotLayout.pid])
        started = Int64(clamping: own[SlotLayout.started])
        startAt = Int64(clamping: own[SlotLayout.startAt])
        restarts = Array(own[SlotLayout.restarts..<SlotLayout.restarts + RestartCause.allCases.count])
        vitals = Vitals(memory, slot: index)
        inHand = Int(Self.bounded(memory[start + SlotLayout.inHand]))
        dependencies = Self.words(memory, start + SlotLayout.dependencies, Dependency.allCases.count).map(Self.answer)
        bonds = memory[start + SlotLayout.bonds]
        rateLimitFallbacks = memory[start + SlotLayout.rateLimitFallbacks]
        nearLimits = Self.nearLimits(memory, start + SlotLayout.nearLimits)
        projectsWaiting = Self.bounded(memory[start + SlotLayout.projectsWaiting])
        droppedLogLines = memory[start + SlotLayout.droppedLogLines]
        lastCommit = Self.nonZero(memory[start + SlotLayout.lastCommit])
        lastPartition = Self.nonZero(memory[start + SlotLayout.lastPartition]).map { min($0, 1 << 53) }
        clockDifference = Self.known(memory[start + SlotLayout.clockDifference]).map { Int64(clamping: $0) }
        keysSavedAt = Self.nonZero(memory[start + SlotLayout.keysSavedAt])
        spool = SpoolReading(memory, start)
        accepts = Self.answer(memory[start + SlotLayout.accepts])
        degradation = memory[start + SlotLayout.degradation]
        (spooled, delivered) = (memory[start + SlotLayout.spooled], memory[start + SlotLayout.delivered])
        quarantined = memory[start + SlotLayout.quarantined]
        outcomes = Self.words(memory, start + SlotLayout.outcomes, OutcomeLabels.reasons.count + 1)
        requests = RequestRoute.allCases.map { route in
            let place = start + SlotLayout.requests + route.rawValue * SlotLayout.statusCount
            return Self.words(memory, place, RequestStatus.counted.count + 1)
        }
        clientDiscards = Self.words(memory, start + SlotLayout.clientDiscards, ClientDiscardLabels.reasons.count)
        requestDuration = HistogramReading(memory, start + SlotLayout.requestDuration, .requestDuration)
        batchSize = HistogramReading(memory, start + SlotLayout.batchSize, .batchSize)
        commitDuration = HistogramReading(memory, start + SlotLayout.commitDuration, .commitDuration)
        sessionsOpened = memory[start + SlotLayout.sessionsOpened]
        streamMessages = memory[start + SlotLayout.streamMessages]
        sessionMemoryLimit = Self.nonZero(memory[start + SlotLayout.sessionMemoryLimit]).map { Int(min($0, 1 << 53)) }
        upgradesRefused = Self.words(memory, start + SlotLayout.upgradesRefused, RefusedUpgrade.names.count)
        sessionsClosed = Self.words(memory, start + SlotLayout.sessionsClosed, SessionEnding.allCases.count)
    }

    private static func nearLimits(_ memory: borrowing SharedMemory, _ start: Int) -> [NearLimits.Project] {
        (0..<NearLimits.room).compactMap { place in
            let start = start + 4 * place
            let id = Int64(bitPattern: memory[start])
            guard id > 0 else { return nil }
            return NearLimits.Project(
                id: id, used: UInt32(clamping: memory[start + 1]), limit: UInt32(clamping: memory[start + 2]),
                endsAt: Int64(clamping: memory[start + 3]))
        }
    }

    fileprivate static func words(_ memory: borrowing SharedMemory, _ start: Int, _ count: Int) -> [UInt64] {
        var result: [UInt64] = []
        result.reserveCapacity(count)
        for position in start..<start + count { result.append(memory[position]) }
        return result
    }

    /// Bounded to what JSON can hold exactly, and what can be added a thousand times.
    static func bounded(_ word: UInt64) -> UInt64 { min(word, 1 << 53) }

    /// A value that is stored plus one; nil for 0.
    fileprivate static func known(_ word: UInt64) -> UInt64? { word == 0 ? nil : bounded(word - 1) }

    /// A value that is never 0 once it is known, such as a time; nil for 0.
    fileprivate static func nonZero(_ word: UInt64) -> Int64? { word == 0 ? nil : Int64(clamping: word) }

    /// An answer to a question: 0 when there is none, 1 for no, 2 for yes.
    private static func answer(_ word: UInt64) -> Bool? { word == 0 ? nil : word == 2 }

    static func name(_ own: [UInt64]) -> String {
        SharedMemory.text(own[SlotLayout.name..<SlotLayout.name + SlotLayout.nameWords])
    }
}

extension SpoolReading {
    /// - Parameter start: the first word of storage's slot.
    fileprivate init(_ memory: borrowing SharedMemory, _ start: Int) {
        events = SlotReading.bounded(memory[start + SlotLayout.spoolEvents])
        bytes = SlotReading.bounded(memory[start + SlotLayout.spoolBytes])
        limit = SlotReading.bounded(memory[start + SlotLayout.spoolLimit])
        oldest = SlotReading.nonZero(memory[start + SlotLayout.spoolOldest])
        quarantine = SlotReading.bounded(memory[start + SlotLayout.quarantine])
        room = SlotReading.known(memory[start + SlotLayout.spoolRoom])
        files = SlotReading.known(memory[start + SlotLayout.spoolFiles])
        fault = Int32(clamping: memory[start + SlotLayout.spoolFault])
    }
}

extension Vitals {
    init(_ memory: borrowing SharedMemory, slot index: Int) {
        let start = ScoreboardFile.word(ofSlot: index)
        heartbeat = SlotReading.nonZero(memory[start + SlotLayout.heartbeat])
        execution = Self.execution(memory, start)
    }

    /// What the slot that begins at a word says that its process handles.
    static func execution(_ memory: borrowing SharedMemory, _ start: Int) -> Execution? {
        let since = memory.acquire(start + SlotLayout.executingSince)
        guard since != 0 else { return nil }
        let high = UInt128(memory[start + SlotLayout.executingHigh])
        let low = UInt128(memory[start + SlotLayout.executingLow])
        let body = BodyMark(
            project: Int64(bitPattern: memory[start + SlotLayout.executingProject]),
            size: Int(clamping: memory[start + SlotLayout.executingSize]),
            hash: memory[start + SlotLayout.executingHash])
        return Execution(request: high << 64 | low, body: body, since: Int64(clamping: since))
    }
}

extension HistogramReading {
    fileprivate init(_ memory: borrowing SharedMemory, _ start: Int, _ histogram: Histogram) {
        counts = SlotReading.words(memory, start, histogram.bounds.count + 1)
        sum = memory[start + histogram.bounds.count + 1]
    }
}
