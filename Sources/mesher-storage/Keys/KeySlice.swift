import Logging
import PostgreSQL
import Spool
import StorageChannel

/// What one query has found of keys and projects.
struct KeySlice {
    /// Columns of every query for keys, beside `FROM projects p` and `api_keys k`.
    static let columns = """
        k.key, p.id, k.revoked_at IS NULL, p.rate_limit_events, p.rate_limit_seconds, array_to_string(p.allowed_origins, ' ')
        """

    var keys = KeySnapshot()
    var projects: Set<Int64> = []
    var rowCount = 0
    /// The last one that was found.
    var lastKey: KeyID?

    /// - Parameter defaults: the limit of a project that has none of its own, events in seconds.
    mutating func collect(
        _ rows: borrowing Rows, defaults: (events: UInt32, seconds: UInt32), logger: Logger
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
            guard rows[row: row, column: 2] == "t" else {
                keys.revoked.insert(key)
                continue
            }
            keys.quotas[key] = ProjectQuota(
                project: project,
                events: rows[row: row, column: 3].flatMap { UInt32($0) } ?? defaults.events,
                seconds: rows[row: row, column: 4].flatMap { UInt32($0) } ?? defaults.seconds,
                origins: AllowedOrigins((rows[row: row, column: 5] ?? "").utf8))
        }
    }
}
