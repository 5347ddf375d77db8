import PostgreSQL
import Schema
import Spool
import StorageChannel

/// What a `Committer` wants done. `StorageLoop` carries out the effects of one call in their order.
enum CommitEffect {
    // MARK: On its connection, with the next result for an answer

    /// Send statements without parameters.
    case send(String)
    /// Have the session parse the statement by which events are inserted.
    case prepare(String, types: [NonBlockingConnection.TypeID])
    /// Execute that statement with these events of the batch in hand, and so many of their columns.
    case insert(Range<Int>, columns: Int)

    // MARK: On its connection, without an answer

    /// Close the session, and connect again later. The committer knows that the session is gone.
    case close(DatabaseError)
    /// The session works: its loss will be the first one.
    case confirm

    // MARK: For events

    /// Tell the edges.
    case answer(StoreAnswer)
    /// Write these events of the batch to the spool, and tell the edges whether they are on disk.
    case keep(Batch, [Range<Int>])
    /// Put refused events into the quarantine, and tell the edges that wait for them whether they are on disk.
    case setAside([QuarantineItem], waiting: [Batch.Entry])
    /// Read the part of the spool that is due, and call `deliver` with it.
    case readSpool
    /// Remove a part of the spool, once what is refused of it is in the quarantine.
    case delivered(SpooledPiece, setAside: [QuarantineItem])
    /// Leave a part of the spool where it is. The error is that by which its events have cost a session.
    case deliveryFailed(DatabaseError?, events: Int)

    // MARK: For the operator

    /// Count a commit; its duration in nanoseconds.
    case count(events: Int, duration: Int64)
    case report(CommitReport.News)
}

/// What the edges are told of some events.
struct StoreAnswer {
    let entries: ArraySlice<Batch.Entry>
    let result: StoreResult
    /// Seconds.
    var retryAfter: UInt32 = 0
}

/// What a committer must know to decide.
struct CommitConditions {
    /// Nanoseconds of the monotonic clock.
    var now: Int64
    /// Microseconds since 1970.
    var wall: Int64
    /// Nothing more will come, so nothing is waited for.
    var isStopping = false
    /// Whether an event could be kept on disk now.
    var canKeep: Bool
    /// When the next part of the spool is due; nil while there is none, or it may not be delivered.
    var nextReplay: Int64?
    /// How many events other connections for events of this kind are committing; `.max` when a gathered event has the id of
    /// one of them: the first one wins only when its commit has ended.
    var beside = 0
}

/// What a command has brought, once it is over.
struct CommandResult {
    var error: DatabaseError?
    /// What the database has, if that was asked.
    var schema: EventSchema?
    /// How many sessions that were given up still run.
    var abandonedSessions = 0
}
