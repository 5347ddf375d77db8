package import PostgreSQL
internal import StorageChannel
internal import System

/// Deletes events of a project, or counts them, beside full load: day by day in the order of receipt, some thousand rows a
/// statement, with a pause after each. No lock and no snapshot is held for longer than one statement. What was interrupted goes
/// on when it is run again. It takes the same memory however many events there are.
///
/// The steps follow the index on (project_id, received_at), since rows that came together lie together on disk, and nothing
/// else finds a user's. Days that are held, and days that are detached but not dropped yet, are not left out.
///
/// Events that come while it runs may stay, and those that have not reached PostgreSQL yet do.
package struct EventDeletion: Sendable {
    /// A day's share.
    package struct Day: Equatable, Sendable {
        /// `YYYYMMDD`.
        package let day: String
        /// Whether the operator holds it.
        package let isHeld: Bool
        /// How many were found, or deleted.
        package var events: Int
    }

    /// How far it is.
    package struct Progress: Sendable {
        /// `YYYYMMDD`.
        package let day: String
        /// Rows of the project that were looked at so far.
        package let examined: Int
        /// How many of them were found, or deleted.
        package let events: Int
    }

    private let selection: EventSelection
    /// In milliseconds.
    private let lockTimeout: Int
    /// How often a step is tried that another session blocks.
    private let attempts: Int
    private let pause: @Sendable (Int64) -> Void

    /// - Parameters:
    ///   - lockTimeout: the longest wait for a lock, in milliseconds.
    ///   - attempts: how often to try a step that another session blocks.
    ///   - pause: waits for so many nanoseconds.
    package init(
        _ selection: EventSelection, lockTimeout: Int = 500, attempts: Int = 20,
        pause: @escaping @Sendable (Int64) -> Void = { Clock.sleep(nanoseconds: $0) }
    ) {
        self.selection = selection
        self.lockTimeout = lockTimeout
        self.attempts = attempts
        self.pause = pause
    }

    /// Counts them, in the same steps. The connection must not be in a transaction.
    ///
    /// - Returns: the days that have some, oldest first.
    /// - Throws: `SchemaError.database`.
    package func count(
        on connection: borrowing Connection, progress: (Progress) -> Void = { _ in }
    ) throws(SchemaError) -> [Day] {
        try run(on: connection, deletes: false, progress)
    }

    /// Deletes them. The connection must not be in a transaction.
    ///
    /// - Returns: the days that had some, oldest first.
    /// - Throws: `SchemaError.database`; what was deleted before stays deleted.
    package func delete(
        on connection: borrowing Connection, progress: (Progress) -> Void = { _ in }
    ) throws(SchemaError) -> [Day] {
        try run(on: connection, deletes: true, progress)
    }

    private func run(
        on connection: borrowing Connection, deletes: Bool, _ progress: (Progress) -> Void
    ) throws(SchemaError) -> [Day] {
        // A plan made while a partition was empty must be good when it is full: the order of the index, never a sort.
        try connection.execute(
            """
            SET lock_timeout = \(lockTimeout); SET enable_seqscan = off; SET enable_bitmapscan = off;
            SET enable_sort = off; SET enable_incremental_sort = off; SET jit = off
            """, during: Self.step)
        defer {
            try? connection.execute(
                """
                RESET lock_timeout; RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_sort;
                RESET enable_incremental_sort; RESET jit
                """)
        }
        let end = try end(on: connection)
        var found: [Day] = []
        var pace = StepPace()
        var (examined, events) = (0, 0)
        for partition in try Partition.all(on: connection) {
            var day = Day(day: String(partition.day), isHeld: partition.isHeld, events: 0)
            var position = Position.start
            while let from = position.next {
                let start = Clock.monotonic()
                guard let step = try step(partition, from: from, to: end, pace.rows, deletes: deletes, on: connection)
                else { break }
                pause(pace.took(Clock.monotonic() - start))
                day.events += step.events
                (examined, events) = (examined + step.examined, events + step.events)
                position = step.position
                progress(Progress(day: day.day, examined: examined, events: events))
            }
            if day.events > 0 { found.append(day) }
        }
        return found
    }

    /// Where the next step of a day begins.
    private struct Position {
        /// Microseconds since 1970, beyond which the next rows are; nil when there are none.
        var next: Int64?
        static let start = Position(next: .min)
    }

    private struct Step {
        var examined = 0
        var events = 0
        var position = Position(next: nil)
    }

    /// Nil when the day is gone. A step that another session blocks is tried again, after a pause.
    private func step(
        _ partition: Partition, from: Int64, to end: Int64, _ rows: Int, deletes: Bool,
        on connection: borrowing Connection
    ) throws(SchemaError) -> Step? {
        var tries = 0
        while true {
            do throws(DatabaseError) {
                return try once(partition, from: from, to: end, rows, deletes: deletes, on: connection)
            } catch {
                // Retention has dropped it.
                if error.sqlState == "42P01" { return nil }
                tries += 1
                guard error.kind == .transient, tries < attempts else { throw .database(error, during: Self.step) }
                pause(StepPace.target)
            }
        }
    }

    /// Several statements, so that Citus takes them: each is for one project, and so for one of its servers. An id's claim goes
    /// first: it would keep an event that is sent again from being stored, and nothing would find it without the event.
    private func once(
        _ partition: Partition, from: Int64, to end: Int64, _ rows: Int, deletes: Bool,
        on connection: borrowing Connection
    ) throws(DatabaseError) -> Step {
        let found = try connection.query(
            page(of: partition.name, limit: rows),
            [String(selection.project), from == .min ? nil : String(from), String(end), selection.parameter])
        var step = Step()
        step.examined = found[row: 0, column: 0].flatMap { Int($0) } ?? 0
        step.events = found[row: 0, column: 2].flatMap { Int($0) } ?? 0
        if step.examined >= rows { step.position.next = found[row: 0, column: 1].flatMap { Int64($0) } }
        guard deletes, step.events > 0, let ids = found[row: 0, column: 3] else { return step }
        func delete(from table: String) throws(DatabaseError) -> Int {
            try connection.query(
                "DELETE FROM public.\(table) WHERE project_id = $1 AND event_id = ANY ($2::uuid[])",
                [String(selection.project), ids]
            ).affectedRows
        }
        _ = try delete(from: "event_claims")
        step.events = try delete(from: partition.name)
        return step
    }

    /// Asks how many rows a step looks at, the last time of receipt among them, how many are to be deleted, and which. An event's
    /// id is looked up in the primary key.
    func page(of partition: String, limit: Int) -> String {
        let condition = selection.condition(parameter: 4)
        let range = """
            project_id = $1 AND ($2::bigint IS NULL OR received_at > \(Self.moment("$2"))) \
            AND received_at < \(Self.moment("$3"))
            """
        let rows =
            if case .event = selection.subject {
                "SELECT received_at, event_id, true AS is_due FROM public.\(partition) WHERE \(range) AND \(condition)"
            } else {
                """
                SELECT received_at, event_id, \(condition) AS is_due FROM public.\(partition) WHERE \(range)
                ORDER BY received_at FETCH FIRST \(limit) ROWS WITH TIES
                """
            }
        return """
            SELECT count(*), (extract(epoch FROM max(received_at)) * 1000000)::bigint, count(*) FILTER (WHERE is_due),
                array_agg(event_id) FILTER (WHERE is_due)
            FROM (\(rows)) AS page
            """
    }

    /// Microseconds since 1970. Without an end, a loop beside full load might never reach the last event. Hosts' clocks may be
    /// a little ahead.
    private func end(on connection: borrowing Connection) throws(SchemaError) -> Int64 {
        let rows = try connection.query(
            "SELECT (extract(epoch FROM now() + interval '1 minute') * 1000000)::bigint", during: Self.step)
        let now = rows[row: 0, column: 0].flatMap { Int64($0) } ?? 0
        return min(selection.before ?? now, now)
    }

    private static func moment(_ microseconds: String) -> String {
        "(timestamptz 'epoch' + \(microseconds)::bigint * interval '1 microsecond')"
    }

    private static let step = "deleting events"
}
