internal import Glibc
package import System

/// What a process reports and counts, in its slot of the scoreboard. Nothing here waits or locks.
///
/// Counters belong to the slot: they only grow, and a process that takes over the slot goes on counting in it.
package final class ProcessSlot {
    private var memory: SharedMemory
    private var countedLogLines = 0
    private let requestDuration = Histogram.requestDuration
    private let batchSize = Histogram.batchSize
    private let commitDuration = Histogram.commitDuration

    private init(_ memory: consuming SharedMemory) {
        self.memory = memory
    }

    /// A slot that only this process and its forks see.
    package static func unseen() throws(SystemError) -> ProcessSlot {
        ProcessSlot(try SharedMemory.shared(words: SlotLayout.size))
    }

    /// The slot that `MESHER_SLOT` names, in the scoreboard of a run directory. Without one, or with a scoreboard of
    /// another layout (the programs were replaced while the watchdog ran), an unseen one: the process works all the
    /// same.
    package static func inherited(runDirectory: String) throws(SystemError) -> ProcessSlot {
        guard let index = inheritedIndex,
            let slot = try? open(index, of: ScoreboardFile.path(in: runDirectory))
        else { return try unseen() }
        return slot
    }

    /// The number in `MESHER_SLOT`.
    package static var inheritedIndex: Int? {
        getenv(ScoreboardFile.slotVariable).flatMap { Int(String(cString: $0)) }
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

    /// Maximum nanoseconds that a loop may sleep, so that it beats often enough while idle.
    package static let longestPause: Int64 = 1_000_000_000

    /// A heartbeat: call it once per turn of the loop.
    ///
    /// - Parameters:
    ///   - now: nanoseconds of the monotonic clock.
    ///   - inHand: its requests (an edge) or events (storage) in flight.
    ///   - droppedLogLines: of this process, since it began.
    package func beat(now: Int64, inHand: Int, droppedLogLines: Int) {
        memory[SlotLayout.heartbeat] = UInt64(bitPattern: now)
        memory[SlotLayout.inHand] = UInt64(clamping: inHand)
        if droppedLogLines > countedLogLines {
            memory.add(UInt64(clamping: droppedLogLines - countedLogLines), at: SlotLayout.droppedLogLines)
            countedLogLines = droppedLogLines
        }
    }

    /// The process begins to handle a request's body, which is to blame if it dies before `finishExecuting`.
    package func beginExecuting(_ request: UInt128, _ body: BodyMark = BodyMark()) {
        memory[SlotLayout.executingProject] = UInt64(bitPattern: body.project)
        memory[SlotLayout.executingSize] = UInt64(clamping: body.size)
        memory[SlotLayout.executingHash] = body.hash
        memory[SlotLayout.executingHigh] = UInt64(truncatingIfNeeded: request >> 64)
        memory[SlotLayout.executingLow] = UInt64(truncatingIfNeeded: request)
        memory.publish(UInt64(bitPattern: Clock.monotonic()), at: SlotLayout.executingSince)
    }

    package func finishExecuting() {
        memory.publish(0, at: SlotLayout.executingSince)
    }

    /// The process has given up something for good.
    package func set(bonds: UInt64) {
        memory[SlotLayout.bonds] = bonds
    }

    package func set(_ dependency: Dependency, isUp: Bool) {
        memory[SlotLayout.dependencies + dependency.rawValue] = isUp ? 2 : 1
    }

    // MARK: Requests and events

    /// An answer was handed over.
    ///
    /// - Parameter duration: nanoseconds since its request was read.
    package func countRequest(_ route: RequestRoute, status: Int, duration: Int64) {
        let place = route.rawValue * SlotLayout.statusCount + RequestStatus.place(status)
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

    /// A client reports that it dropped events.
    ///
    /// - Parameter reason: its place, see `ClientDiscardLabels`.
    package func countClientDiscards(_ events: Int, reason: Int) {
        guard ClientDiscardLabels.reasons.indices.contains(reason) else { return }
        memory.add(UInt64(clamping: events), at: SlotLayout.clientDiscards + reason)
    }

    /// Events could not be counted in Redis; this host alone limits them.
    package func countRateLimitFallbacks(_ events: Int) {
        memory.add(UInt64(clamping: events), at: SlotLayout.rateLimitFallbacks)
    }

    // MARK: Streams

    /// From now on the forks of this process count in the slot too.
    package func shareWithForks() {
        memory.hasManyWriters = true
    }

    /// A session has answered an upgrade with 101.
    package func countOpenedSession() {
        memory.add(1, at: SlotLayout.sessionsOpened)
    }

    /// A session that was open has ended.
    package func countClosedSession(_ ending: SessionEnding) {
        memory.add(1, at: SlotLayout.sessionsClosed + ending.rawValue)
    }

    /// An upgrade was refused with an HTTP status.
    package func countRefusedUpgrade(status: Int) {
        memory.add(1, at: SlotLayout.upgradesRefused + RefusedUpgrade.place(status))
    }

    /// The most bytes that sessions together hold of what their peers have sent or not read.
    package func setSessionMemory(limit: Int) {
        memory[SlotLayout.sessionMemoryLimit] = UInt64(clamping: limit)
    }

    /// Messages were answered.
    package func countStreamMessages(_ count: Int = 1) {
        memory.add(UInt64(clamping: count), at: SlotLayout.streamMessages)
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

    /// There are partitions up to a day.
    ///
    /// - Parameter day: counted from 1970-01-01, UTC.
    package func setLastPartition(day: Int64) {
        memory[SlotLayout.lastPartition] = UInt64(clamping: day)
    }

    /// The projects that have used most of their limits.
    package func set(_ nearLimits: NearLimits) {
        for place in 0..<NearLimits.room {
            let start = SlotLayout.nearLimits + 4 * place
            let project = place < nearLimits.projects.count ? nearLimits.projects[place] : nil
            memory[start] = UInt64(bitPattern: project?.id ?? 0)
            memory[start + 1] = UInt64(project?.used ?? 0)
            memory[start + 2] = UInt64(project?.limit ?? 0)
            memory[start + 3] = UInt64(clamping: project?.endsAt ?? 0)
        }
    }

    /// So many projects have bodies that wait for their turn.
    package func setProjectsWaiting(_ count: Int) {
        memory[SlotLayout.projectsWaiting] = UInt64(clamping: count)
    }

    /// By how many microseconds this host's clock and the server's differ that this process asks.
    package func setClockDifference(_ microseconds: Int64) {
        memory[SlotLayout.clockDifference] = min(microseconds.magnitude, .max - 1) + 1
    }

    /// The file of keys has all keys as PostgreSQL has them.
    ///
    /// - Parameter wall: now, in microseconds since 1970.
    package func setKeysSaved(wall: Int64) {
        memory[SlotLayout.keysSavedAt] = UInt64(clamping: wall)
    }

    /// What the spool and the quarantine hold now.
    ///
    /// - Parameters:
    ///   - bytes: of both.
    ///   - oldest: when the oldest event was received, in microseconds since 1970; nil while the spool is empty.
    package func setSpool(events: Int, bytes: Int, limit: Int, oldest: Int64?, quarantined: Int) {
        memory[SlotLayout.spoolEvents] = UInt64(clamping: events)
        memory[SlotLayout.spoolBytes] = UInt64(clamping: bytes)
        memory[SlotLayout.spoolLimit] = UInt64(clamping: limit)
        memory[SlotLayout.spoolOldest] = UInt64(clamping: oldest ?? 0)
        memory[SlotLayout.quarantine] = UInt64(clamping: quarantined)
    }

    /// How the spool's disk is.
    ///
    /// - Parameters:
    ///   - bytes: what its file system has left; nil when that is unknown.
    ///   - files: inodes that it has left; nil when it has no fixed number of them.
    ///   - fault: why the spool cannot be used, errno(3); 0 when it can.
    package func setSpoolDisk(bytes: UInt64?, files: UInt64?, fault: Int32) {
        memory[SlotLayout.spoolRoom] = bytes.map { min($0, .max - 1) + 1 } ?? 0
        memory[SlotLayout.spoolFiles] = files.map { min($0, .max - 1) + 1 } ?? 0
        memory[SlotLayout.spoolFault] = UInt64(clamping: fault)
    }

    /// Whether an event can be stored, and what is impaired.
    package func setReadiness(accepts: Bool, degradation: UInt64) {
        memory[SlotLayout.accepts] = accepts ? 2 : 1
        memory[SlotLayout.degradation] = degradation
    }

    /// Events were written to the spool.
    package func countSpooled(_ events: Int) {
        memory.add(UInt64(clamping: events), at: SlotLayout.spooled)
    }

    /// Events of the spool were committed.
    package func countDelivered(_ events: Int) {
        memory.add(UInt64(clamping: events), at: SlotLayout.delivered)
    }

    /// Events or damaged bytes were set aside.
    package func countQuarantined(_ items: Int) {
        memory.add(UInt64(clamping: items), at: SlotLayout.quarantined)
    }

    private func count(_ value: UInt64, _ histogram: Histogram, at place: Int) {
        memory.add(1, at: place + histogram.place(of: value))
        memory.add(value, at: place + histogram.bounds.count + 1)
    }
}
