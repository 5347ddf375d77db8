import PostgreSQL
import Schema
import Spool
import StorageChannel

/// The batch that is being committed, and the fate of its events: each becomes durable, in PostgreSQL or on this host's
/// disk, or is refused, and its edge is told once.
struct CommitInHand: ~Copyable {
    /// Failures in a row after which an internal error of PostgreSQL is blamed on an event; otherwise the event would
    /// block all others forever.
    private static let patience = 3

    private(set) var batch = Batch()
    private(set) var plan = CommitPlan([])
    /// Whether the events are in the spool already, because PostgreSQL took too long: the outcome of the running
    /// statement does not matter.
    private(set) var isKept = false
    /// The part of the spool that the events come from, if any: nobody waits for them, and what is not stored stays
    /// there.
    private var replay: Replay?
    private var since: Int64 = 0
    private var refused: [QuarantineItem] = []
    private var refusedEntries: [Batch.Entry] = []
    private var hasFailed = false
    /// The error by which a session was lost over events of the spool.
    private var loss: DatabaseError?
    /// Why events are suspected, by their positions.
    private var suspects: [Int: DatabaseError] = [:]

    /// Whether there is nothing to commit.
    var isEmpty: Bool { batch.isEmpty && replay == nil }

    /// The events that an edge waits for.
    var waiting: Int { replay == nil && !isKept ? batch.count : 0 }

    // MARK: Beginning

    /// Takes the gathered batch, and leaves an empty one.
    mutating func begin(_ gathered: inout Batch, now: Int64) {
        swap(&gathered, &batch)
        batch.sort()
        plan = batch.plan()
        since = now
    }

    /// Takes a part of the spool. Events of projects that the database does not have are set aside.
    mutating func begin(_ replay: Replay, wall: Int64) {
        self.replay = replay
        let piece = replay.piece
        piece.content.bytes.withUnsafeBytes { bytes in
            for range in piece.content.records {
                let record = UnsafeRawBufferPointer(rebasing: bytes[range])
                guard let head = RecordHead(record) else {
                    refused.append(piece.damage(range, wall: wall))
                    continue
                }
                if let fault = replay.projects.fault(ofSpooled: head.project) {
                    refused.append(
                        QuarantineItem(event: Array(record), head, sqlState: nil, reason: fault, wall: wall))
                } else {
                    batch.append(record, head)
                }
            }
        }
        refused += piece.content.damages.map { piece.damage($0, wall: wall) }
        batch.sort()
        guard let suspicion = replay.suspicion, batch.count == 1 else {
            plan = batch.plan()
            return
        }
        plan = CommitPlan(suspected: suspicion)
        suspects[0] = replay.loss.map { loss in
            let message = "\(loss.message), \(ReplayPace.patience) times, while PostgreSQL took another row"
            return DatabaseError(operation: loss.operation, message: message)
        }
    }

    // MARK: What came of a statement

    /// - Returns: the events that are committed, and what to do about it.
    mutating func inserted() -> (events: Range<Int>, effects: [CommitEffect]) {
        guard let range = plan.inserted() else { return (0..<0, []) }
        if isKept { _ = plan.abandon() }
        guard waiting > 0 else { return (range, []) }
        return (range, [.answer(StoreAnswer(entries: batch.entries[range], result: .durable))])
    }

    mutating func failed(_ error: DatabaseError, _ conditions: CommitConditions) -> [CommitEffect] {
        if isKept {
            _ = plan.abandon()
            return []
        }
        var kind = error.kind
        if let replay, replay.failures >= Self.patience, error.sqlState?.hasPrefix("XX") == true { kind = .badEvent }
        switch plan.failed(kind, now: conditions.now) {
        case nil:
            if case .probe(let position) = plan.step(now: conditions.now) { suspects[position] = error }
            return []
        case .refused(let range):
            for position in range { refuse(position, error, wall: conditions.wall) }
            return []
        case .unstored(let range):
            let report = CommitEffect.report(.notStored(error, batch.entries[range]))
            if replay == nil { return [report, .keep(batch, [range])] }
            hasFailed = true
            _ = plan.abandon()
            return [report]
        }
    }

    /// Why the event is suspected for which another row is tried; without an SQLSTATE when it has cost sessions.
    func suspect(now: Int64) -> DatabaseError? {
        if case .probe(let position) = plan.step(now: now) { suspects[position] } else { nil }
    }

    /// PostgreSQL accepts a row other than the suspected one.
    mutating func probed(wall: Int64) {
        if isKept {
            _ = plan.abandon()
            return
        }
        for position in plan.probed() ?? 0..<0 {
            if let suspect = suspects[position] { refuse(position, suspect, wall: wall) }
        }
    }

    /// PostgreSQL does not accept another row either, which may be that row's fault.
    ///
    /// - Returns: whether there are events left that may show that.
    mutating func postpone() -> Bool { !isKept && plan.postpone() }

    mutating func madePartitions(failure: FailureKind?) {
        plan.madePartitions(failure: failure)
    }

    private mutating func refuse(_ position: Int, _ error: DatabaseError, wall: Int64) {
        let entry = batch.entries[position]
        let record = batch.withRecord(position) { Array($0) }
        refused.append(
            QuarantineItem(event: record, entry.head, sqlState: error.sqlState, reason: error.message, wall: wall))
        refusedEntries.append(entry)
    }

    // MARK: Ending

    /// When the events go to the spool, if they are not committed; nil when they do not.
    func overdue(after limit: Int64) -> Int64? {
        waiting > 0 ? since + limit : nil
    }

    /// What is not committed yet goes to the spool; the running statement continues.
    mutating func keep() -> [CommitEffect] {
        isKept = true
        return [.keep(batch, plan.undecided)] + setAside()
    }

    /// The session is lost: the fate of the running statement is unknown.
    ///
    /// - Parameter loss: with what, if the events may be to blame.
    mutating func lose(_ loss: DatabaseError?) -> [CommitEffect] {
        guard !isEmpty else { return [] }
        let undecided = plan.abandon()
        self.loss = loss
        if replay != nil { hasFailed = true }
        let isWaiting = replay == nil && !isKept && !undecided.isEmpty
        return (isWaiting ? [.keep(batch, undecided)] : []) + finish()
    }

    /// Nothing is left to do: drops the batch.
    mutating func finish() -> [CommitEffect] {
        let effects: [CommitEffect] =
            switch replay {
            case nil: setAside()
            case _? where hasFailed: [.deliveryFailed(loss, events: batch.count)]
            case let replay?: [.delivered(replay.piece, setAside: refused)]
            }
        replay = nil
        refused = []
        refusedEntries = []
        hasFailed = false
        loss = nil
        suspects = [:]
        isKept = false
        batch.removeAll()
        return effects
    }

    /// Sets aside refused events that an edge waits for.
    private mutating func setAside() -> [CommitEffect] {
        guard !refused.isEmpty else { return [] }
        defer {
            refused = []
            refusedEntries = []
        }
        return [.setAside(refused, waiting: refusedEntries)]
    }
}
