import PostgreSQL
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
    /// The piece of the spool that the events come from, if any: nobody waits for them, and what is not stored stays
    /// there.
    private var piece: SpooledPiece?
    private var since: Int64 = 0
    private var refused: [QuarantineItem] = []
    private var refusedEntries: [Batch.Entry] = []
    private var hasFailed = false
    /// The error by which a session was lost over events of the spool.
    private var loss: DatabaseError?
    /// Why events are suspected, by their positions.
    private var suspects: [Int: DatabaseError] = [:]

    /// Whether there is nothing to commit.
    var isEmpty: Bool { batch.isEmpty && piece == nil }

    /// The events that an edge waits for.
    var waiting: Int { piece == nil && !isKept ? batch.count : 0 }

    // MARK: Beginning

    /// Takes the gathered batch, and leaves an empty one.
    mutating func begin(_ gathered: inout Batch, now: Int64) {
        swap(&gathered, &batch)
        batch.sort()
        plan = CommitPlan(batch.statementRanges())
        since = now
    }

    /// Takes a part of the spool.
    ///
    /// - Parameters:
    ///   - suspicion: of its one event, if it has cost sessions.
    ///   - loss: what the last of them was lost with.
    ///   - projects: those of the database. Events of others are set aside.
    mutating func begin(
        _ piece: SpooledPiece, suspicion: CommitPlan.Suspicion?, loss: DatabaseError?, projects: KnownProjects,
        wall: Int64
    ) {
        self.piece = piece
        piece.content.bytes.withUnsafeBytes { bytes in
            for range in piece.content.records {
                let record = UnsafeRawBufferPointer(rebasing: bytes[range])
                guard let head = RecordHead(record) else {
                    refused.append(piece.damage(range, wall: wall))
                    continue
                }
                if let fault = projects.fault(ofSpooled: head.project) {
                    refused.append(
                        QuarantineItem(event: Array(record), head, sqlState: nil, reason: fault, wall: wall))
                } else {
                    batch.append(record, head)
                }
            }
        }
        refused += piece.content.damages.map { piece.damage($0, wall: wall) }
        batch.sort()
        guard let suspicion, batch.count == 1 else {
            plan = CommitPlan(batch.statementRanges())
            return
        }
        plan = CommitPlan(suspected: suspicion)
        suspects[0] = loss.map { loss in
            let message = "\(loss.message), \(ReplayPace.patience) times, while PostgreSQL took another row"
            return DatabaseError(operation: loss.operation, message: message)
        }
    }

    // MARK: What came of a statement

    /// - Returns: the events that are committed.
    mutating func inserted(_ edges: inout EdgeTable) -> Range<Int> {
        guard let range = plan.inserted() else { return 0..<0 }
        FaultPoint.reach(.afterCommit)
        if isKept {
            _ = plan.abandon()
        } else if piece == nil {
            edges.answer(batch.entries[range], .durable, retryAfter: 0)
        }
        return range
    }

    mutating func failed(
        _ error: DatabaseError, _ kind: FailureKind, now: Int64, wall: Int64, _ report: inout CommitReport,
        _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable
    ) {
        if isKept {
            _ = plan.abandon()
            return
        }
        var kind = kind
        if piece != nil, keeper.pace.failures >= Self.patience, error.sqlState?.hasPrefix("XX") == true {
            kind = .badEvent
        }
        switch plan.failed(kind, now: now) {
        case nil:
            if case .probe(let position) = plan.step(now: now) { suspects[position] = error }
        case .refused(let range):
            for position in range { refuse(position, error, wall: wall) }
        case .unstored(let range):
            report.notStored(error, batch.entries[range], now: now)
            guard piece == nil else {
                hasFailed = true
                _ = plan.abandon()
                return
            }
            keeper.keep(batch, [range], now: now, &edges)
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

    /// Puts what is not committed yet into the spool; the running statement continues.
    mutating func keep(now: Int64, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable) {
        keeper.keep(batch, plan.undecided, now: now, &edges)
        setAside(now: now, &keeper, &edges)
        isKept = true
    }

    /// The session is lost: the fate of the running statement is unknown.
    ///
    /// - Parameter loss: with what, if the events may be to blame.
    mutating func lose(_ loss: DatabaseError?, now: Int64, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable) {
        guard !isEmpty else { return }
        let undecided = plan.abandon()
        self.loss = loss
        if piece != nil { hasFailed = true } else if !isKept { keeper.keep(batch, undecided, now: now, &edges) }
        finish(now: now, &keeper, &edges)
    }

    /// Nothing is left to do: drops the batch.
    mutating func finish(now: Int64, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable) {
        switch piece {
        case nil: setAside(now: now, &keeper, &edges)
        case _? where hasFailed: keeper.replayFailed(loss, events: batch.count, now: now)
        case let piece?: keeper.delivered(piece, setAside: refused, now: now)
        }
        piece = nil
        refused = []
        refusedEntries = []
        hasFailed = false
        loss = nil
        suspects = [:]
        isKept = false
        batch.removeAll()
    }

    /// Sets aside refused events that an edge waits for.
    private mutating func setAside(now: Int64, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable) {
        guard !refused.isEmpty else { return }
        let isDurable = keeper.setAside(refused, now: now)
        edges.answer(refusedEntries[...], isDurable ? .durable : .unavailable, retryAfter: isDurable ? 0 : 1)
        refused = []
        refusedEntries = []
    }
}
