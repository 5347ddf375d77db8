internal import PostgreSQL

/// A row of `api_keys`.
struct ProjectKey {
    let key: String
    let label: String
    /// RFC 3339, UTC.
    let createdAt: String
    /// The last day, in UTC, on which a request had it; nil when none is known.
    let lastUsedOn: String?
    /// RFC 3339, UTC; nil while it is in force.
    let revokedAt: String?
}

extension ProjectKey {
    /// Every key of a project, oldest first.
    static func all(of project: Int64, on connection: borrowing Connection) throws(DatabaseError) -> [ProjectKey] {
        let rows = try connection.query(
            """
            SELECT key, label, to_char(created_at AT TIME ZONE 'UTC', format),
                to_char(revoked_at AT TIME ZONE 'UTC', format), to_char(used_on, 'YYYY-MM-DD')
            FROM public.api_keys LEFT JOIN public.key_uses USING (key),
                (VALUES ('YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS f (format)
            WHERE project_id = $1 ORDER BY created_at, key
            """, [String(project)])
        return (0..<rows.count).map { row in
            ProjectKey(
                key: rows[row: row, column: 0] ?? "", label: rows[row: row, column: 1] ?? "",
                createdAt: rows[row: row, column: 2] ?? "", lastUsedOn: rows[row: row, column: 4],
                revokedAt: rows[row: row, column: 3])
        }
    }

    /// Adds a key to a project.
    static func add(
        _ key: String, label: String, to project: Int64, on connection: borrowing Connection
    ) throws(DatabaseError) {
        _ = try connection.query(
            "INSERT INTO public.api_keys (key, project_id, label) VALUES ($1, $2, $3)", [key, String(project), label])
    }

    /// Revokes a key.
    ///
    /// - Returns: false when it already revoked.
    /// - Throws: `CommandError` when there is no such key, else `DatabaseError`.
    static func revoke(_ key: String, on connection: borrowing Connection) throws -> Bool {
        let revoked = try connection.query(
            "UPDATE public.api_keys SET revoked_at = now() WHERE key = $1 AND revoked_at IS NULL", [key])
        if revoked.affectedRows > 0 { return true }
        guard try connection.query("SELECT FROM public.api_keys WHERE key = $1", [key]).count > 0 else {
            throw CommandError(.dataError, "no such key; see mesher key list PROJECT")
        }
        return false
    }
}
