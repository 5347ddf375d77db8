package import PostgreSQL

/// Removes events whose retention has ended.
///
/// Whole days go by dropping their partition, when they are too old or when all days together are too large. Events of
/// projects with a shorter retention are deleted, some thousand rows at a time. What another transaction blocks is left
/// for the next run. Every wait for a lock is bounded, since everyone queues behind a waiting ALTER TABLE. DETACH …
/// CONCURRENTLY waits for readers without a lock that inserts need.
package struct Retention: Sendable {
    /// What one run did.
    package struct Outcome: Equatable, Sendable {
        /// Partitions that were dropped.
        package var dropped: [String] = []
        /// Partitions that are due, but still used by a transaction.
        package var busy: [String] = []
        /// Events deleted because of their project's shorter retention.
        package var deleted = 0
        /// Those of `dropped` and `busy` that are not too old, but make all days together too large.
        package var forSize: [String] = []
        /// Days that would go for the size of all, and are held.
        package var held: [String] = []
        /// How much all days are still larger than they may be, in bytes: today's is never dropped.
        package var excess: Int64 = 0
        /// Who keeps `busy`.
        package var blockers: [Blocker] = []
    }

    private let days: Int
    private let size: Int64
    private let lockTimeout: Int
    private let attempts: Int

    /// - Parameters:
    ///   - days: how many full days are kept before today.
    ///   - size: how large all days together may be, with their indexes, in bytes; 0 for any size.
    ///   - lockTimeout: the longest wait for a lock, in milliseconds; shorter than the 2 s for which making a
    ///     partition may wait for retention.
    ///   - attempts: how often to wait for a lock before the partition counts as busy.
    package init(days: Int, size: Int64 = 0, lockTimeout: Int = 500, attempts: Int = 10) {
        self.days = days
        self.size = size
        self.lockTimeout = lockTimeout
        self.attempts = attempts
    }

    /// What a run would do now: which partitions it would drop, and how many events it would delete.
    ///
    /// - Throws: `SchemaError.database`.
    package func plan(on connection: borrowing Connection) throws(SchemaError) -> Outcome {
        var outcome = Outcome()
        let oldest = try Partition.day(daysAgo: days, on: connection)
        let partitions = try Partition.all(on: connection)
        outcome.dropped = try due(of: partitions, before: oldest, on: connection, &outcome).map(\.name)
        for (partition, projects) in try dueForProjects(on: connection) where !outcome.dropped.contains(partition.name)
        {
            let rows = try connection.query(
                "SELECT count(*) FROM public.\(partition.name) WHERE project_id = ANY ($1::bigint[])", [projects],
                during: "counting what is due")
            outcome.deleted += rows[row: 0, column: 0].flatMap { Int($0) } ?? 0
        }
        return outcome
    }

    /// Drops and deletes what is due. The connection must not be in a transaction.
    ///
    /// - Parameter note: is told what has been removed, as soon as it is, such as `dropped events_20260131`.
    /// - Throws: `SchemaError.maintained` while another connection does the same, `SchemaError.database`; what was
    ///   done before stays done.
    package func apply(
        on connection: borrowing Connection, note: (String) -> Void = { _ in }
    ) throws(SchemaError) -> Outcome {
        let lock = "(\(AdvisoryLock.space), \(AdvisoryLock.retention))"
        // Waiting here would hold a snapshot, and the other run's FINALIZE would wait for that.
        let locked = try connection.query("SELECT pg_try_advisory_lock\(lock)", during: "locking")
        guard locked[row: 0, column: 0] == "t" else { throw .maintained }
        defer { try? connection.execute("RESET lock_timeout; SELECT pg_advisory_unlock\(lock)") }

        var outcome = Outcome()
        let oldest = try Partition.day(daysAgo: days, on: connection)
        let isCitus = try Distribution.isCitus(connection)
        try connection.execute("SET lock_timeout = \(lockTimeout)", during: "setting a lock timeout")
        try drop(before: oldest, isCitus: isCitus, on: connection, &outcome, note)
        if !outcome.busy.isEmpty {
            outcome.blockers = try Blocker.of(outcome.busy, longerThan: lockTimeout, on: connection)
        }
        try deleteForProjects(isCitus: isCitus, on: connection, &outcome, note)
        // No host's clock is near so old a midnight.
        _ = try connection.query(
            "DELETE FROM public.event_claims WHERE midnight < CAST(now() AT TIME ZONE 'UTC' AS date) - 2", [],
            during: "retention of claims")
        return outcome
    }

    /// The days that are too old, and the oldest of the others that make all together too large.
    private func due(
        of partitions: [Partition], before oldest: String, on connection: borrowing Connection, _ outcome: inout Outcome
    ) throws(SchemaError) -> [Partition] {
        func isOld(_ partition: Partition) -> Bool { !partition.isHeld && partition.day < oldest }
        guard size > 0 else { return partitions.filter(isOld) }
        let today = try Partition.day(daysAgo: 0, on: connection)
        var sizes: [RetentionSize.Day] = []
        for partition in partitions where !isOld(partition) {
            sizes.append(
                RetentionSize.Day(
                    name: partition.name, isHeld: partition.isHeld, isPast: partition.day < today,
                    size: try partition.size(on: connection)))
        }
        let bySize = RetentionSize(sizes, limit: size)
        (outcome.forSize, outcome.held, outcome.excess) = (bySize.due, bySize.held, bySize.excess)
        return partitions.filter { isOld($0) || bySize.due.contains($0.name) }
    }

    private func drop(
        before oldest: String, isCitus: Bool, on connection: borrowing Connection, _ outcome: inout Outcome,
        _ note: (String) -> Void
    ) throws(SchemaError) {
        let partitions = try Partition.all(on: connection)
        // A half-detached partition comes first, whatever its age: until it is finished, no other can be detached.
        var canDetach = true
        for partition in partitions where partition.state == .detachPending {
            canDetach = try attempt(Self.finalize(partition), on: connection)
            if !canDetach { outcome.busy.append(partition.name) }
        }
        for partition in try due(of: partitions, before: oldest, on: connection, &outcome)
        where !outcome.busy.contains(partition.name) {
            if partition.state == .attached {
                if canDetach { canDetach = try detach(partition, isCitus: isCitus, on: connection) }
                guard canDetach else {
                    outcome.busy.append(partition.name)
                    continue
                }
            }
            if try attempt("DROP TABLE public.\(partition.name)", on: connection) {
                outcome.dropped.append(partition.name)
                note("dropped \(partition.name)")
            } else {
                outcome.busy.append(partition.name)
            }
        }
    }

    /// Returns whether it succeeded. If a wait was given up, the partition stays attached or half detached.
    private func detach(
        _ partition: Partition, isCitus: Bool, on connection: borrowing Connection
    ) throws(SchemaError) -> Bool {
        // Citus has no CONCURRENTLY. Inserts wait as well then, for as long as the lock is waited for.
        let ending = isCitus ? "" : " CONCURRENTLY"
        let statement = "ALTER TABLE public.events DETACH PARTITION public.\(partition.name)\(ending)"
        for _ in 0..<attempts {
            if try attempt(statement, times: 1, on: connection) { return true }
            let now = try Partition.all(on: connection).first { $0.name == partition.name }
            if now?.state == .detachPending { return try attempt(Self.finalize(partition), on: connection) }
        }
        return false
    }

    private static func finalize(_ partition: Partition) -> String {
        "ALTER TABLE public.events DETACH PARTITION public.\(partition.name) FINALIZE"
    }

    /// Runs a statement until it gets its locks; false when it never did.
    private func attempt(
        _ sql: String, times: Int? = nil, on connection: borrowing Connection
    ) throws(SchemaError) -> Bool {
        for _ in 0..<(times ?? attempts) {
            do throws(DatabaseError) {
                try connection.execute(sql)
                return true
            } catch {
                // lock_not_available: the wait was longer than lock_timeout.
                guard error.sqlState == "55P03" else { throw .database(error, during: "retention") }
            }
        }
        return false
    }

    private func deleteForProjects(
        isCitus: Bool, on connection: borrowing Connection, _ outcome: inout Outcome, _ note: (String) -> Void
    ) throws(SchemaError) {
        for (partition, projects) in try dueForProjects(on: connection) {
            let deleted = try delete(from: partition, projects: projects, isCitus: isCitus, on: connection)
            outcome.deleted += deleted
            if deleted > 0 { note("deleted \(deleted) events of \(partition.name), of the projects \(projects)") }
        }
    }

    /// The partitions with events of projects whose shorter retention has ended, each with an array of these projects'
    /// ids.
    private func dueForProjects(
        on connection: borrowing Connection
    ) throws(SchemaError) -> [(partition: Partition, projects: String)] {
        let projects = try connection.query(
            """
            SELECT id, to_char((now() AT TIME ZONE 'UTC') - make_interval(days => retention_days), 'YYYYMMDD')
            FROM public.projects WHERE retention_days < $1::int
            """, [String(days)], during: "reading projects' retention")
        guard projects.count > 0 else { return [] }
        var result: [(partition: Partition, projects: String)] = []
        for partition in try Partition.all(on: connection) where partition.state == .attached && !partition.isHeld {
            let due = (0..<projects.count).filter { partition.day < projects[row: $0, column: 1] ?? "" }
            guard !due.isEmpty else { continue }
            let identifiers = due.compactMap { projects[row: $0, column: 0] }.joined(separator: ",")
            result.append((partition, "{\(identifiers)}"))
        }
        return result
    }

    /// Deletes in steps, so that neither a lock nor a snapshot is held for long, and returns how many rows. On Citus, where
    /// rows of several servers have the same ctid, it is one step.
    private func delete(
        from partition: Partition, projects: String, isCitus: Bool, on connection: borrowing Connection
    ) throws(SchemaError) -> Int {
        let isDue = "project_id = ANY ($1::bigint[])"
        let isNext =
            isCitus ? isDue : "ctid = ANY (ARRAY(SELECT ctid FROM public.\(partition.name) WHERE \(isDue) LIMIT 5000))"
        var deleted = 0
        while true {
            let step = try connection.query(
                "DELETE FROM public.\(partition.name) WHERE \(isNext)", [projects], during: "retention of projects"
            ).affectedRows
            deleted += step
            if step == 0 { return deleted }
        }
    }
}
