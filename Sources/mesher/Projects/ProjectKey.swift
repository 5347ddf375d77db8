internal import PostgreSQL

/// A row of `api_keys`.
struct ProjectKey {
    let key: String
    let project: Int64
    let label: String
    /// RFC 3339, UTC.
    let createdAt: String
    /// The last day, in UTC, on which a request had it; nil when none is known.
    let lastUsedOn: String?
    /// When it is refused, RFC 3339, UTC; nil when that is not decided.
    let expiresAt: String?
    /// Maintenance revokes it after so many days without use.
    let unusedDays: Int64?
    /// RFC 3339, UTC; nil when it was not.
    let revokedAt: String?
    /// Whether it is neither revoked nor expired.
    let isInForce: Bool
}

extension ProjectKey {
    /// For people: when it is refused, though it was not revoked.
    var ending: String? {
        let use = unusedDays.map { "unused for \($0) d" }
        return expiresAt == nil && use == nil ? nil : [expiresAt, use].compactMap { $0 }.joined(separator: ", ")
    }

    /// Every key of a project, oldest first.
    static func all(of project: Int64, on connection: borrowing Connection) throws(DatabaseError) -> [ProjectKey] {
        try rows("project_id", String(project), on: connection)
    }

    /// One key.
    ///
    /// - Throws: `CommandError` when there is no such key, else `DatabaseError`.
    static func find(_ key: String, on connection: borrowing Connection) throws -> ProjectKey {
        guard let found = try rows("key", key, on: connection).first else {
            throw CommandError(.dataError, "no such key; see mesher key list PROJECT")
        }
        return found
    }

    private static func rows(
        _ column: String, _ value: String, on connection: borrowing Connection
    ) throws(DatabaseError) -> [ProjectKey] {
        let rows = try connection.query(
            """
            SELECT key, label, to_char(created_at AT TIME ZONE 'UTC', format),
                to_char(revoked_at AT TIME ZONE 'UTC', format), to_char(used_on, 'YYYY-MM-DD'),
                to_char(expires_at AT TIME ZONE 'UTC', format), unused_days,
                revoked_at IS NULL AND (expires_at > now()) IS NOT FALSE,
                project_id
            FROM public.api_keys LEFT JOIN public.key_uses USING (key),
                (VALUES ('YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS f (format)
            WHERE \(column) = $1 ORDER BY created_at, key
            """, [value])
        return (0..<rows.count).map { row in
            ProjectKey(
                key: rows[row: row, column: 0] ?? "",
                project: rows[row: row, column: 8].flatMap { Int64($0) } ?? 0, label: rows[row: row, column: 1] ?? "",
                createdAt: rows[row: row, column: 2] ?? "", lastUsedOn: rows[row: row, column: 4],
                expiresAt: rows[row: row, column: 5], unusedDays: rows[row: row, column: 6].flatMap { Int64($0) },
                revokedAt: rows[row: row, column: 3], isInForce: rows[row: row, column: 7] == "t")
        }
    }

    /// Adds a key to a project.
    static func add(
        _ key: String, label: String, to project: Int64, on connection: borrowing Connection
    ) throws(DatabaseError) {
        _ = try connection.query(
            "INSERT INTO public.api_keys (key, project_id, label) VALUES ($1, $2, $3)", [key, String(project), label])
    }

    /// What has become of a key that another takes the place of.
    struct Rotation {
        let project: Int64
        let label: String
        /// When the old one is refused, RFC 3339, UTC; nil when that depends on its use.
        let expiresAt: String?
    }

    /// Adds a key with the label of another, which ends.
    ///
    /// - Parameters:
    ///   - hours: after which it is refused.
    ///   - unusedDays: after so many days without use maintenance revokes it.
    /// - Throws: `CommandError` when there is no such key, or it ends already, else `DatabaseError`.
    static func rotate(
        _ key: String, to successor: String, hours: Int?, unusedDays: Int?, on connection: borrowing Connection
    ) throws -> Rotation {
        let rows = try connection.query(
            """
            WITH former AS (
                UPDATE public.api_keys SET rotated_at = now(), unused_days = $4::int,
                    expires_at = now() + make_interval(hours => $3::int)
                WHERE key = $1 AND revoked_at IS NULL AND rotated_at IS NULL
                RETURNING project_id, label, expires_at
            ), successor AS (
                INSERT INTO public.api_keys (key, project_id, label) SELECT $2, project_id, label FROM former
            )
            SELECT project_id, label, to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM former
            """, [key, successor, hours.map(String.init), unusedDays.map(String.init)])
        if rows.count == 1, let project = rows[row: 0, column: 0].flatMap({ Int64($0) }) {
            return Rotation(
                project: project, label: rows[row: 0, column: 1] ?? "", expiresAt: rows[row: 0, column: 2])
        }
        try find(key, on: connection).requireNoEnd()
        throw CommandError(.temporaryFailure, "the key has just been changed; see mesher key list PROJECT")
    }

    /// - Throws: when it ends already, and so cannot be rotated.
    func requireNoEnd() throws(CommandError) {
        guard revokedAt != nil || ending != nil else { return }
        let why = revokedAt == nil ? "rotated" : "revoked"
        throw CommandError(.dataError, "the key was \(why) already; see mesher key list PROJECT")
    }

    /// Revokes a key.
    ///
    /// - Returns: false when it already revoked.
    /// - Throws: `CommandError` when there is no such key, else `DatabaseError`.
    static func revoke(_ key: String, on connection: borrowing Connection) throws -> Bool {
        let revoked = try connection.query(
            "UPDATE public.api_keys SET revoked_at = now() WHERE key = $1 AND revoked_at IS NULL", [key])
        if revoked.affectedRows > 0 { return true }
        _ = try find(key, on: connection)
        return false
    }
}
