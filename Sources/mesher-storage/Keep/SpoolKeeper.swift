import Glibc
import Logging
import PostgreSQL
import Scoreboard
import Spool
import StorageChannel
import System

/// Puts what PostgreSQL does not accept now on this host's disk, where it counts as stored: the spool of both
/// committers, opened when possible and retried after a failure.
struct SpoolKeeper: ~Copyable {
    /// Nanoseconds before a retry after a failure.
    private static let retryInterval: Int64 = 1_000_000_000
    private static let lockInterval: Int64 = 100_000_000
    /// Bytes that are written with one fdatasync at most.
    private static let commitBytes = 8 << 20
    /// The retry time, in seconds, of a refused event.
    private static let retryAfter: UInt32 = 1
    private static let retryAfterFull: UInt32 = 10
    /// The percentage from which the spool counts as nearly full.
    private static let nearlyFull = 80

    private let path: String
    private let limits: SpoolDirectory.Limits?
    private var report: SpoolReport
    private var spool: SpoolDirectory?
    /// Why it cannot be used, errno(3), until a probe succeeds; 0 when it can.
    private var fault: CInt = 0
    /// When it is opened or probed again after a failure.
    private var retryAt: Int64 = .min
    private var room: SpoolRoom?
    private var refreshAt: Int64 = .min
    private var pace = ReplayPace()
    private var backlog = Backlog()
    /// What the last session that a part has cost was lost with.
    private var loss: DatabaseError?

    init(_ path: String, limits: SpoolDirectory.Limits?, slot: ProcessSlot, logger: Logger) {
        self.path = path
        self.limits = limits
        report = SpoolReport(logger, slot)
    }

    /// Whether an event could be kept on disk now.
    func accepts(now: Int64) -> Bool {
        guard fault == 0, room.map({ $0.bytes >= SpoolRoom.least }) ?? true, let percentage = spool?.percentage else {
            return false
        }
        return percentage < 100
    }

    /// Whether it is nearly full, or cannot be used though it should be.
    func isDegraded(now: Int64) -> Bool {
        limits != nil
            && (!accepts(now: now) || room?.isExhausted == true || (spool?.percentage ?? 100) > Self.nearlyFull)
    }

    /// Whether nothing of it is delivered.
    func standsStill(now: Int64) -> Bool {
        backlog.standsStill(now: now)
    }

    /// Whether nothing waits on disk, as far as that is known.
    var isDelivered: Bool {
        spool.map { $0.index.isCounted && $0.index.isEmpty } ?? false
    }

    /// When `turn` has something to do; nil while it has not.
    func deadline(now: Int64) -> Int64? {
        guard limits != nil else { return nil }
        guard let isCounted = spool?.index.isCounted, fault == 0 else { return max(retryAt, now) }
        return isCounted ? nil : now
    }

    /// Opens the directory if necessary, counts its content, and reports its state.
    mutating func turn(now: Int64) {
        open(now: now)
        probe(now: now)
        if spool?.index.isCounted == false { spool?.survey() }
        if refreshAt <= now {
            refreshAt = now + Self.retryInterval
            // The next write will tell what is wrong with the directory.
            try? spool?.refreshQuarantine()
            room = limits == nil ? nil : SpoolRoom(of: path)
        }
        if let findings = spool?.takeFindings() { report.found(findings) }
        backlog.note(isEmpty: spool?.index.isEmpty ?? true, now: now)
        report.standsStill(backlog.standsStill(now: now), now: now)
        if let index = spool?.index, let limits {
            report.holds(
                events: index.events, oldest: index.oldest, bytes: spool?.size ?? 0, limit: limits.bytes,
                quarantined: spool?.quarantined ?? 0)
        }
        report.has(room, used: spool?.size ?? 0, limit: limits?.bytes ?? 0, fault: fault)
    }

    private mutating func open(now: Int64) {
        guard spool == nil, let limits, now >= retryAt else { return }
        do throws(SystemError) {
            spool = try SpoolDirectory.open(path, limits: limits)
            isUsable()
        } catch {
            fail(error, now: now, after: error.code == EWOULDBLOCK ? Self.lockInterval : Self.retryInterval)
        }
    }

    /// Probes the disk after a failure, so that no event has to.
    private mutating func probe(now: Int64) {
        guard fault != 0, spool != nil, now >= retryAt else { return }
        do throws(SystemError) {
            try SpoolDirectory.probe(path)
            isUsable()
        } catch {
            fail(error, now: now)
        }
    }

    private mutating func isUsable() {
        fault = 0
        report.isUsable()
    }

    // MARK: Keeping

    /// Puts events of a batch on disk; what does not fit is refused.
    ///
    /// - Returns: what those who wait for them are to be told.
    mutating func keep(_ batch: Batch, _ ranges: [Range<Int>], now: Int64) -> [StoreAnswer] {
        guard accepts(now: now) else { return ranges.map { refusal(of: batch.entries[$0]) } }
        var answers: [StoreAnswer] = []
        var taken: [Batch.Entry] = []
        for position in ranges.joined() {
            let entry = batch.entries[position]
            if let refusal = add(entry, of: batch, position) {
                report.refused(refusal, project: entry.head.project, now: now)
                answers.append(StoreAnswer(entries: [entry], result: .unavailable, retryAfter: Self.retryAfterFull))
                continue
            }
            taken.append(entry)
            if let bytes = spool?.pendingBytes, bytes >= Self.commitBytes {
                answers.append(commit(taken, now: now))
                taken.removeAll(keepingCapacity: true)
            }
        }
        if !taken.isEmpty { answers.append(commit(taken, now: now)) }
        return answers
    }

    private func refusal(of entries: ArraySlice<Batch.Entry>) -> StoreAnswer {
        StoreAnswer(entries: entries, result: .unavailable, retryAfter: Self.retryAfter)
    }

    private mutating func add(_ entry: Batch.Entry, of batch: Batch, _ position: Int)
        -> SpoolDirectory.Refusal?
    {
        batch.records.withUnsafeBytes { records in
            spool?.add(entry.head, UnsafeRawBufferPointer(rebasing: records[entry.record]))
        }
    }

    private mutating func commit(_ taken: [Batch.Entry], now: Int64) -> StoreAnswer {
        do throws(SystemError) {
            try spool?.commit(wall: Clock.wall())
            report.kept(taken.count)
            return StoreAnswer(entries: taken[...], result: .durable)
        } catch {
            fail(error, now: now)
            return refusal(of: taken[...])
        }
    }

    /// Sets aside refused events that edges wait for.
    mutating func setAside(_ items: [QuarantineItem], waiting: [Batch.Entry], now: Int64) -> StoreAnswer {
        guard setAside(items, now: now) else { return refusal(of: waiting[...]) }
        return StoreAnswer(entries: waiting[...], result: .durable)
    }

    /// Sets aside what PostgreSQL refuses.
    ///
    /// - Returns: whether it is on disk.
    mutating func setAside(_ items: [QuarantineItem], now: Int64) -> Bool {
        guard accepts(now: now) else { return false }
        do throws(SystemError) {
            try spool?.setAside(items)
            report.setAside(items, now: now)
            return true
        } catch {
            fail(error, now: now)
            return false
        }
    }

    private mutating func fail(_ error: SystemError, now: Int64, after interval: Int64 = Self.retryInterval) {
        fault = error.code
        retryAt = now + interval
        // The free space of its file system may tell more.
        refreshAt = .min
        report.failed(error, now: now)
    }

    // MARK: Delivering

    /// When the next part is to be delivered; nil while there is none.
    func nextReplay(now: Int64) -> Int64? {
        guard let index = spool?.index, index.isCounted, !index.isEmpty else { return nil }
        return max(pace.next, now)
    }

    /// The oldest part, if it is due.
    mutating func beginReplay(now: Int64, projects: KnownProjects) -> Replay? {
        guard let next = nextReplay(now: now), next <= now else { return nil }
        pace.began(now: now)
        guard let piece = spool?.oldest(events: pace.size) else { return nil }
        return Replay(
            piece: piece, projects: projects, suspicion: pace.suspicion, loss: loss, failures: pace.failures)
    }

    /// All of a part is in PostgreSQL, except what is to be set aside.
    mutating func delivered(_ piece: SpooledPiece, setAside items: [QuarantineItem], now: Int64) {
        guard items.isEmpty || setAside(items, now: now) else { return pace.failed(now: now) }
        spool?.delivered(piece)
        backlog.moved(now: now)
        pace.delivered(piece.content.records.count, now: now)
        report.delivered(piece.content.records.count, isLast: spool?.index.isEmpty ?? true)
    }

    /// A part stays where it is, and is tried again later.
    ///
    /// - Parameters:
    ///   - loss: what the session was lost with, if that happened over its events.
    ///   - events: how many it has.
    mutating func replayFailed(_ loss: DatabaseError?, events: Int, now: Int64) {
        if let loss { self.loss = loss }
        pace.failed(now: now, losingSessionOver: loss == nil ? nil : events)
    }
}
