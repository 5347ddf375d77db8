internal import PostgreSQL
internal import Schema
internal import StorageChannel

/// What has become of some events so far, as `CommitPlan` decides it.
struct DeliveryProgress {
    /// In the order in which they are stored.
    let events: [SpooledEvent]
    var plan: CommitPlan
    /// The events that PostgreSQL refuses, by their positions in the given order.
    private(set) var refused: [(position: Int, reason: DatabaseError)] = []
    /// Why events are suspected, by their positions in `events`.
    private(set) var suspects: [Int: DatabaseError] = [:]
    private let positions: [Int]
    /// Why partitions could not be made.
    private var partitionFault: DatabaseError?

    init(_ given: [SpooledEvent]) {
        positions = StoreOrder.positions(of: given.map(\.head))
        events = positions.map { given[$0] }
        plan = CommitPlan(of: events.map { ($0.head.receivedOn, $0.size) })
    }

    /// An insert has failed.
    ///
    /// - Throws: why the events cannot be stored now, if that is not their own fault.
    mutating func failed(_ error: DatabaseError, now: Int64) throws(DatabaseError) {
        switch plan.failed(error.kind, now: now) {
        case .unstored: throw error.kind == .missingPartition ? partitionFault ?? error : error
        case .refused(let range): refused += range.map { (positions[$0], error) }
        case nil: if case .probe(let position) = plan.step(now: now) { suspects[position] = error }
        }
    }

    mutating func lacksPartitions(_ error: DatabaseError) {
        partitionFault = error
        plan.madePartitions(failure: error.kind)
    }
}
