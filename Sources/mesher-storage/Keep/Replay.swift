import PostgreSQL
import Schema
import Spool

/// A part of the spool that is to be delivered, and what came of it before.
struct Replay {
    let piece: SpooledPiece
    /// Those of the database.
    let projects: KnownProjects
    /// What its one event is suspected of, if it has cost sessions.
    let suspicion: CommitPlan.Suspicion?
    /// What the last of them was lost with.
    let loss: DatabaseError?
    /// How often in a row it could not be delivered.
    let failures: Int
}
