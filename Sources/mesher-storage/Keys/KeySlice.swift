import Logging
import PostgreSQL
import Spool
import StorageChannel

/// What one query has found of keys and projects.
struct KeySlice {
    /// Columns of every query for keys, which is FROM `projects p`, `api_keys k` and `later`.
    static let columns = """
        k.key, p.id, k.revoked_at IS NULL, p.rate_limit_events, p.rate_limit_seconds, array_to_string(p.allowed_origins, ' '),
        (extract(epoch FROM ending.expires_at) * 1000000)::bigint, rules.scrub
        """

    /// When a key ends, and what is removed from its project's events. In a schema that does not have such a column yet its name
    /// means that of `absent`, NULL.
    static let later = """
        CROSS JOIN (SELECT NULL::timestamptz AS expires_at, NULL::text AS scrub) AS absent
        CROSS JOIN LATERAL (SELECT expires_at FROM (SELECT k.*) AS own) AS ending
        CROSS JOIN LATERAL (SELECT scrub FROM (SELECT p.*) AS own) AS rules
        """

    var keys = KeySnapshot()
    var projects: Set<Int64> = []
    var rowCount = 0
    /// The last one that was found.
    var lastKey: KeyID?

    /// - Parameters:
    ///   - defaults: the limit of a project that has none of its own, events in seconds.
    ///   - wall: now, in microseconds since 1970.
    mutating func collect(
        _ rows: borrowing Rows, defaults: (events: UInt32, seconds: UInt32), wall: Int64, logger: Logger
    ) {
        rowCount += rows.count
        for row in 0..<rows.count {
            guard let project = rows[row: row, column: 1].flatMap({ Int64($0) }) else { continue }
            projects.insert(project)
            guard let text = rows[row: row, column: 0] else { continue }
            guard let key = KeyID(hex: text) else {
                logger.warning("a key that is not 32 hex digits is ignored")
                continue
            }
            lastKey = key
            let end = rows[row: row, column: 6].flatMap { Int64($0) }
            guard rows[row: row, column: 2] == "t", end ?? .max > wall else {
                keys.revoked.insert(key)
                continue
            }
            if let end { keys.endings[key] = end }
            keys.quotas[key] = ProjectQuota(
                project: project,
                events: rows[row: row, column: 3].flatMap { UInt32($0) } ?? defaults.events,
                seconds: rows[row: row, column: 4].flatMap { UInt32($0) } ?? defaults.seconds,
                origins: AllowedOrigins((rows[row: row, column: 5] ?? "").utf8),
                scrub: ScrubRules((rows[row: row, column: 7] ?? "").utf8))
        }
    }
}
