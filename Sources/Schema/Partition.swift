package import PostgreSQL

/// A day's table of events, named `events_YYYYMMDD` after a day in UTC.
package struct Partition: Equatable, Sendable {
    package enum State: String, Sendable {
        case attached
        /// A DETACH … CONCURRENTLY was interrupted: selects no longer see the partition, and no other can be detached
        /// until this one is finished.
        case detachPending = "detach pending"
        /// No longer a part of `events`, not yet dropped.
        case detached
    }

    package let name: String
    package let state: State
    /// The planner's estimate, nil before the first ANALYZE.
    package let rows: Int64?
    /// Whether the operator holds it, so that retention leaves it alone.
    package let isHeld: Bool

    /// `YYYYMMDD`, which sorts by date.
    package var day: Substring { name.dropFirst("events_".count) }
}

extension Partition {
    /// How many days ahead must have a partition.
    package static let daysAhead = 7

    /// Makes the missing partitions from yesterday to a week ahead, by the server's clock, and returns how many it
    /// made.
    ///
    /// - Throws: `SchemaError.database`.
    package static func makeAhead(on connection: borrowing Connection) throws(SchemaError) -> Int {
        let rows = try connection.query(
            """
            SELECT public.mesher_make_partitions(today - 1, today + \(daysAhead))
            FROM CAST(now() AT TIME ZONE 'UTC' AS date) AS today
            """, during: "making partitions")
        return rows[row: 0, column: 0].flatMap { Int($0) } ?? 0
    }

    /// Every partition, and every table that was one, oldest first. Takes no lock on any of them.
    ///
    /// - Throws: `SchemaError.database`.
    package static func all(on connection: borrowing Connection) throws(SchemaError) -> [Partition] {
        // Without the owner's test a table that somebody else happened to name so would be taken for ours, and dropped.
        let rows = try connection.query(
            """
            SELECT c.relname,
                CASE WHEN i.inhrelid IS NULL THEN 'detached'
                    WHEN i.inhdetachpending THEN 'detach pending' ELSE 'attached' END,
                nullif(c.reltuples, -1)::bigint, obj_description(c.oid, 'pg_class') IS NOT DISTINCT FROM '\(holdMark)'
            FROM pg_class parent
            JOIN pg_class c ON c.relnamespace = parent.relnamespace AND c.relowner = parent.relowner
                AND c.relkind = 'r' AND c.relname ~ '^events_[0-9]{8}$'
            LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = parent.oid
            WHERE parent.oid = 'public.events'::regclass ORDER BY c.relname
            """, during: "listing partitions")
        return (0..<rows.count).compactMap { row in
            guard let name = rows[row: row, column: 0],
                let state = rows[row: row, column: 1].flatMap({ State(rawValue: $0) })
            else { return nil }
            return Partition(
                name: name, state: state, rows: rows[row: row, column: 2].flatMap { Int64($0) },
                isHeld: rows[row: row, column: 3] == "t")
        }
    }

    /// The comment on a table that is held. Dumps keep comments.
    private static let holdMark = "mesher: held"

    /// Holds a day, so that retention leaves it alone, or releases it. The day gets a partition if it has none.
    ///
    /// - Parameter day: `YYYYMMDD` or `YYYY-MM-DD`.
    /// - Throws: `SchemaError.database`, with SQLSTATE 22007 or 22008 when it is no day.
    package static func hold(
        _ day: String, _ isHeld: Bool, on connection: borrowing Connection
    ) throws(SchemaError) -> String {
        let step = isHeld ? "holding a day" : "releasing a day"
        if isHeld {
            _ = try connection.query("SELECT public.mesher_make_partitions($1::date, $1::date)", [day], during: step)
        }
        let rows = try connection.query("SELECT 'events_' || to_char($1::date, 'YYYYMMDD')", [day], during: step)
        let name = rows[row: 0, column: 0] ?? ""
        // The name is PostgreSQL's own.
        try connection.execute("COMMENT ON TABLE public.\(name) IS \(isHeld ? "'\(holdMark)'" : "NULL")", during: step)
        return name
    }

    /// Its size in bytes, with indexes and TOAST. Waits while another session has the table locked.
    ///
    /// - Throws: `SchemaError.database`.
    package func size(on connection: borrowing Connection) throws(SchemaError) -> Int64 {
        let size =
            try Distribution.isCitus(connection)
            ? """
            coalesce(
                (SELECT citus_total_relation_size(logicalrelid) FROM pg_catalog.pg_dist_partition
                WHERE logicalrelid = to_regclass($1)),
                pg_total_relation_size(to_regclass($1)))
            """ : "pg_total_relation_size(to_regclass($1))"
        let rows = try connection.query("SELECT \(size)", ["public." + name], during: "measuring partitions")
        return rows[row: 0, column: 0].flatMap { Int64($0) } ?? 0
    }

    /// The day so many days before today in UTC, as `YYYYMMDD`, by the server's clock.
    ///
    /// - Throws: `SchemaError.database`.
    package static func day(daysAgo days: Int, on connection: borrowing Connection) throws(SchemaError) -> String {
        let rows = try connection.query(
            "SELECT to_char((now() AT TIME ZONE 'UTC') - make_interval(days => $1::int), 'YYYYMMDD')",
            [String(days)], during: "reading the server's clock")
        return rows[row: 0, column: 0] ?? ""
    }
}
