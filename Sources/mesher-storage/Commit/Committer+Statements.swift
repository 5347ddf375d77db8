import PostgreSQL
import Schema
import Spool
import StorageChannel

/// The statements of a batch, and what comes of them.
extension Committer {
    private static let maintenanceInterval: Int64 = 3_600_000_000_000
    private static let maintenanceRetry = FaultPoint.hastened(60_000_000_000)

    /// Does what the plan says next; it leaves the stage idle when there is nothing to send.
    mutating func performStep(_ conditions: CommitConditions) -> [CommitEffect] {
        let now = conditions.now
        switch inHand.plan.step(now: now) {
        case .insert(let range):
            let form = StatementForm(
                of: inHand.batch.entries[range].map { $0.head }, margin: schema.hasClaims ? midnightMargin : 0)
            guard form == prepared else { return prepare(form, isFirst: false) }
            stage = .inserting
            insertedAt = now
            return [.insert(range, columns: schema.columns)]
        case .makePartitions(let range):
            stage = .makingMissingPartitions
            return send(PartitionStatement.days(Set(inHand.batch.entries[range].map(\.head.receivedOn))))
        case .probe(let position):
            let head = inHand.batch.entries[position].head
            // Of a refused event the day may be what is wrong; where it gets no answer, its partition.
            let isRefused = inHand.suspect(now: now)?.sqlState != nil
            let day = isRefused ? PartitionStatement.today(wall: conditions.wall) : head.receivedOn
            return probe(project: head.project, day: day, isFirst: false)
        case .wait:
            stage = .idle
            return []
        case .finished:
            stage = .idle
            if inHand.waiting > 0 { gathering.ended(size: inHand.waiting, now: now) }
            return inHand.finish()
        }
    }

    /// Has the statement parsed, instead of one for other events.
    mutating func prepare(_ form: StatementForm, isFirst: Bool) -> [CommitEffect] {
        stage = .preparing(form, isFirst: isFirst)
        let statement = InsertStatement.sql(
            day: form.day, columns: schema.columns, claims: form.claims, isForCitus: schema.isForCitus)
        return [.prepare(statement, types: Array(InsertStatement.parameterTypes.prefix(schema.columns)))]
    }

    mutating func completeInsert(_ error: DatabaseError?, _ conditions: CommitConditions) -> [CommitEffect] {
        var effects: [CommitEffect]
        if let error {
            effects = inHand.failed(error, conditions)
            if error.kind == .session { return effects + close(error) }
        } else {
            let committed = inHand.inserted()
            effects = [.count(events: committed.events.count, duration: conditions.now - insertedAt)]
            effects += committed.effects
            if let last = committed.events.last { inHand.batch.withRecord(last) { storedRow.note($0) } }
            if refusal != nil { effects += confirm() }
        }
        return effects + performStep(conditions)
    }

    mutating func probe(project: Int64, day: Int32, isFirst: Bool) -> [CommitEffect] {
        stage = .probing(isFirst: isFirst)
        return send(storedRow.probe(project: project, day: day, columns: schema.columns))
    }

    mutating func completeProbe(
        _ error: DatabaseError?, isFirst: Bool, _ conditions: CommitConditions
    ) -> [CommitEffect] {
        let suspect = isFirst ? refusal : inHand.suspect(now: conditions.now)
        if let error, !ProbeStatement.isTaken(error, suspect: suspect?.sqlState) {
            if !storedRow.isKnown, error.blamesRow, inHand.postpone() { return performStep(conditions) }
            refusal = error
            return close(error)
        }
        let confirmed = isFirst || refusal != nil ? confirm() : []
        guard !isFirst else {
            stage = .idle
            return confirmed
        }
        inHand.probed(wall: conditions.wall)
        return confirmed + performStep(conditions)
    }

    /// Partitions were made, or not: says so, and when to look again.
    mutating func planMaintenance(after error: DatabaseError?, now: Int64) -> [CommitEffect] {
        let isDone = error == nil && schema.isComplete
        nextMaintenance = now + (isDone ? Self.maintenanceInterval : Self.maintenanceRetry)
        return [
            .report(error.map { .partitionsMissing($0) } ?? .partitionsMade),
            .report(.columnsMissing(schema.missingColumns)),
        ]
    }

    mutating func send(_ sql: String) -> [CommitEffect] {
        // It ends the unnamed statement.
        prepared = nil
        return [.send(sql)]
    }
}
