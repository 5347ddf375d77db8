import PostgreSQL
import Schema
import Spool
import StorageChannel
import System

/// The statements of a batch, and what comes of them.
extension Committer {
    private static let maintenanceInterval: Int64 = 3_600_000_000_000
    private static let maintenanceRetry = FaultPoint.hastened(60_000_000_000)

    /// Does what the plan says next; it leaves the stage idle when there is nothing to send.
    mutating func performStep(
        now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable
    ) {
        switch inHand.plan.step(now: now) {
        case .insert(let range):
            let form = StatementForm(
                of: inHand.batch.entries[range].lazy.map(\.head), margin: hasClaims ? midnightMargin : 0)
            guard form == prepared else {
                return prepare(form, isFirst: false, now: now, epoll, &keeper, &edges)
            }
            stage = .inserting
            insertedAt = now
            parameters.encode(inHand.batch, range, columns: columns)
            let event = parameters.withParameters { parameters in
                link.send(within: Self.timeout, now: now, epoll) { connection throws(DatabaseError) in
                    try connection.sendExecute(parameters)
                }
            }
            take(event, now: now, epoll, &keeper, &edges)
        case .makePartitions(let range):
            stage = .makingMissingPartitions
            let days = Set(inHand.batch.entries[range].map(\.head.receivedOn))
            send(PartitionStatement.days(days), now: now, epoll, &keeper, &edges)
        case .probe(let position):
            let head = inHand.batch.entries[position].head
            // Of a refused event the day may be what is wrong; where it gets no answer, its partition.
            let day = inHand.suspect(now: now)?.sqlState == nil ? head.receivedOn : PartitionStatement.today()
            probe(project: head.project, day: day, isFirst: false, now: now, epoll, &keeper, &edges)
        case .wait:
            stage = .idle
        case .finished:
            stage = .idle
            if inHand.waiting > 0 { gathering.ended(size: inHand.waiting, now: now) }
            inHand.finish(now: now, &keeper, &edges)
        }
    }

    /// Has the statement parsed, instead of one for other events.
    mutating func prepare(
        _ form: StatementForm, isFirst: Bool, now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper,
        _ edges: inout EdgeTable
    ) {
        stage = .preparing(form, isFirst: isFirst)
        let statement = InsertStatement.sql(
            day: form.day, columns: columns, claims: form.claims, isForCitus: isForCitus)
        let types = Array(InsertStatement.parameterTypes.prefix(columns))
        send(now: now, epoll, &keeper, &edges) { connection throws(DatabaseError) in
            try connection.sendPrepare(statement, parameterTypes: types)
        }
    }

    mutating func completeInsert(
        _ error: DatabaseError?, now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper,
        _ edges: inout EdgeTable
    ) {
        if let error {
            let kind = FailureKind(sqlState: error.sqlState)
            inHand.failed(error, kind, now: now, wall: Clock.wall(), &report, &keeper, &edges)
            if kind == .session { return take(link.drop(error, now: now, epoll), now: now, epoll, &keeper, &edges) }
        } else {
            let events = inHand.inserted(&edges)
            if let last = events.last { inHand.batch.withRecord(last) { storedRow.note($0) } }
            if refusal != nil { confirm() }
            report.committed(events: events.count, duration: now - insertedAt)
        }
        performStep(now: now, epoll, &keeper, &edges)
    }

    mutating func probe(
        project: Int64, day: Int32, isFirst: Bool, now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper,
        _ edges: inout EdgeTable
    ) {
        stage = .probing(isFirst: isFirst)
        send(storedRow.probe(project: project, day: day, columns: columns), now: now, epoll, &keeper, &edges)
    }

    mutating func completeProbe(
        _ error: DatabaseError?, isFirst: Bool, now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper,
        _ edges: inout EdgeTable
    ) {
        let suspect = isFirst ? refusal : inHand.suspect(now: now)
        if let error, !ProbeStatement.isTaken(error, suspect: suspect?.sqlState) {
            if !storedRow.isKnown, error.blamesRow, inHand.postpone() {
                return performStep(now: now, epoll, &keeper, &edges)
            }
            refusal = error
            return take(link.drop(error, now: now, epoll), now: now, epoll, &keeper, &edges)
        }
        if isFirst || refusal != nil { confirm() }
        guard !isFirst else {
            stage = .idle
            return
        }
        inHand.probed(wall: Clock.wall())
        performStep(now: now, epoll, &keeper, &edges)
    }

    /// Partitions were made, or not: says so, and when to look again.
    mutating func planMaintenance(after error: DatabaseError?, now: Int64) {
        if let error { report.partitionsMissing(error, now: now) } else { report.partitionsMade() }
        let isComplete = columns == InsertStatement.columns.count
        report.columnsMissing(isComplete ? nil : InsertStatement.columns[columns...].map(\.name), now: now)
        nextMaintenance = now + (error == nil && isComplete ? Self.maintenanceInterval : Self.maintenanceRetry)
    }

    mutating func send(
        _ sql: String, now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable
    ) {
        // It ends the unnamed statement.
        prepared = nil
        send(now: now, epoll, &keeper, &edges) { connection throws(DatabaseError) in try connection.send(sql) }
    }

    mutating func send(
        now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable,
        _ command: (inout NonBlockingConnection) throws(DatabaseError) -> Void
    ) {
        take(link.send(within: Self.timeout, now: now, epoll, command), now: now, epoll, &keeper, &edges)
    }
}
