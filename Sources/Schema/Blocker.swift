package import PostgreSQL

/// A session that keeps maintenance from its work.
package struct Blocker: Equatable, Sendable {
    package let pid: Int32
    package let user: String
    package let application: String
    /// When its transaction began, RFC 3339, UTC; nil when this role may not know: pg_read_all_stats may.
    package let since: String?
    /// What it does, such as `idle in transaction`; nil like `since`.
    package let state: String?
}

extension Blocker {
    /// Sessions that have a lock on one of these days or on all events, or a snapshot, for which DETACH waits as well. Only
    /// transactions that are older than a wait; the oldest first, 10 at most.
    ///
    /// - Parameter wait: milliseconds.
    /// - Throws: `SchemaError.database`.
    static func of(
        _ partitions: [String], longerThan wait: Int, on connection: borrowing Connection
    ) throws(SchemaError) -> [Blocker] {
        try find(
            """
            (a.xact_start IS NULL OR a.xact_start < clock_timestamp() - $1::bigint * interval '1 millisecond')
            AND (a.backend_xmin IS NOT NULL OR EXISTS (
                SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation' AND l.relation IN (
                    SELECT to_regclass('public.' || name)
                    FROM unnest(ARRAY['events'] || string_to_array($2, ' ')) AS name)))
            """, [String(wait), partitions.joined(separator: " ")], on: connection)
    }

    /// The session that runs retention.
    ///
    /// - Throws: `SchemaError.database`.
    package static func ofMaintenance(on connection: borrowing Connection) throws(SchemaError) -> [Blocker] {
        try find(
            """
            EXISTS (
                SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.locktype = 'advisory'
                    AND l.classid::bigint = $1::bigint AND l.objid::bigint = $2::bigint)
            """, [String(AdvisoryLock.space), String(AdvisoryLock.retention)], on: connection)
    }

    private static func find(
        _ condition: String, _ parameters: [String], on connection: borrowing Connection
    ) throws(SchemaError) -> [Blocker] {
        let rows = try connection.query(
            """
            SELECT a.pid, a.usename, a.application_name, a.state,
                to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            FROM pg_stat_activity a
            WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND \(condition)
            ORDER BY a.xact_start NULLS LAST LIMIT 10
            """, parameters, during: "looking for who blocks")
        return (0..<rows.count).map { row in
            Blocker(
                pid: rows[row: row, column: 0].flatMap { Int32($0) } ?? 0, user: rows[row: row, column: 1] ?? "",
                application: rows[row: row, column: 2] ?? "", since: rows[row: row, column: 4],
                state: rows[row: row, column: 3])
        }
    }
}
