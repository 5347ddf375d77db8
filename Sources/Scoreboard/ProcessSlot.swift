package import EventLoop
internal import Glibc

/// What a process says about itself and counts, in its slot of the scoreboard. Nothing here waits or locks.
///
/// Counters belong to the slot: they only grow, and a process that takes over the slot goes on counting in it.
package final class ProcessSlot {
    private let memory: SharedMemory
    private let requestDuration = Histogram.requestDuration
    private let batchSize = Histogram.batchSize
    private let commitDuration = Histogram.commitDuration

    private init(_ memory: consuming SharedMemory) {
        self.memory = memory
    }

    /// A slot that nobody else sees.
    package static func unseen() throws(SystemError) -> ProcessSlot {
        ProcessSlot(try SharedMemory.anonymous(words: SlotLayout.size))
    }

    /// The slot that `MESHER_SLOT` names, in the scoreboard of a run directory. Without one, or with a scoreboard of
    /// another layout (the programs were replaced while the watchdog ran), an unseen one: the process does its work all
    /// the same.
    package static func inherited(runDirectory: String) throws(SystemError) -> ProcessSlot {
        guard let text = getenv(ScoreboardFile.slotVariable), let index = Int(String(cString: text)),
            let slot = try? open(index, of: ScoreboardFile.path(in: runDirectory))
        else { return try unseen() }
        return slot
    }

    /// - Returns: nil when the file has no such slot, or has another layout.
    static func open(_ index: Int, of path: String) throws(SystemError) -> ProcessSlot? {
        let number = Glibc.open(path, O_RDWR | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open", path) }
        let descriptor = Descriptor(adopting: number)
        var status = stat()
        guard (0..<ScoreboardFile.slotCount).contains(index), fstat(number, &status) == 0,
            Int(status.st_size) == ScoreboardFile.size
        else { return nil }
        let memory = try SharedMemory.file(
            descriptor.number, offset: ScoreboardFile.offset(ofSlot: index), words: SlotLayout.size)
        guard memory[SlotLayout.fingerprintWord] == SlotLayout.fingerprint else { return nil }
        return ProcessSlot(memory)
    }

    // MARK: What it is doing

    /// The process goes on.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    package func beat(now: Int64) {
        memory[SlotLayout.heartbeat] = UInt64(bitPattern: now)
    }

    /// The process begins to handle what one request carried: until `finishExecuting` it is what would be to blame.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    package func beginExecuting(_ request: UInt128, now: Int64) {
        memory[SlotLayout.executingHigh] = UInt64(truncatingIfNeeded: request >> 64)
        memory[SlotLayout.executingLow] = UInt64(truncatingIfNeeded: request)
        memory.publish(UInt64(bitPattern: now), at: SlotLayout.executingSince)
    }

    package func finishExecuting() {
        memory.publish(0, at: SlotLayout.executingSince)
    }

    package func setRequestsInHand(_ count: Int) {
        memory[SlotLayout.requestsInHand] = UInt64(clamping: count)
    }

    package func set(_ dependency: Dependency, isUp: Bool) {
        memory[SlotLayout.dependencies + dependency.place] = isUp ? 2 : 1
    }

    package func setDroppedLogLines(_ count: Int) {
        memory[SlotLayout.droppedLogLines] = UInt64(clamping: count)
    }

    // MARK: Requests and events

    /// An answer is handed over.
    ///
    /// - Parameter duration: nanoseconds since its request was read.
    package func countRequest(_ route: RequestRoute, status: Int, duration: Int64) {
        let place = route.place * SlotLayout.statusCount + RequestStatus.place(status)
        memory.add(1, at: SlotLayout.requests + place)
        count(UInt64(clamping: duration), requestDuration, at: SlotLayout.requestDuration)
    }

    /// Events have ended in an outcome.
    ///
    /// - Parameter outcome: its place, see `OutcomeLabels`.
    package func countEvents(_ count: Int = 1, outcome: Int) {
        guard (0..<SlotLayout.outcomeCount).contains(outcome) else { return }
        memory.add(UInt64(clamping: count), at: SlotLayout.outcomes + outcome)
    }

    /// Events could not be counted in Redis; this host alone limits them.
    package func countRateLimitFallbacks(_ events: Int) {
        memory.add(UInt64(clamping: events), at: SlotLayout.rateLimitFallbacks)
    }

    // MARK: Storage

    /// A statement with events was committed.
    ///
    /// - Parameters:
    ///   - duration: nanoseconds from sending it to its result.
    ///   - wall: now, in microseconds since 1970.
    package func countCommit(events: Int, duration: Int64, wall: Int64) {
        count(UInt64(clamping: events), batchSize, at: SlotLayout.batchSize)
        count(UInt64(clamping: duration), commitDuration, at: SlotLayout.commitDuration)
        memory[SlotLayout.lastCommit] = UInt64(clamping: wall)
    }

    /// - Parameter days: for which there is a partition already, today not counted.
    package func setPartitionsAhead(_ days: Int) {
        memory[SlotLayout.partitionsAhead] = UInt64(clamping: days) &+ 1
    }

    private func count(_ value: UInt64, _ histogram: Histogram, at place: Int) {
        memory.add(1, at: place + histogram.place(of: value))
        memory.add(value, at: place + histogram.bounds.count + 1)
    }
}
