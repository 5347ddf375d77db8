package import PostgreSQL

/// Keys in whose place others have come: those whose time is over, and those that nobody has used for as long as was said.
///
/// Storage refuses the former by itself, at the time. Revoking them as well is for releases that do not know of it.
package enum EndedKeys {
    private static let areDue = """
        revoked_at IS NULL AND (expires_at <= now()
            OR greatest((rotated_at AT TIME ZONE 'UTC')::date,
                    (SELECT used_on FROM public.key_uses u WHERE u.key = k.key))
                < (now() AT TIME ZONE 'UTC')::date - unused_days)
        """

    /// How many there are.
    ///
    /// - Throws: `SchemaError.database`.
    package static func count(on connection: borrowing Connection) throws(SchemaError) -> Int {
        let rows = try connection.query(
            "SELECT count(*) FROM public.api_keys k WHERE \(areDue)", during: "looking for ended keys")
        return rows[row: 0, column: 0].flatMap { Int($0) } ?? 0
    }

    /// Revokes them, and returns how many that were.
    ///
    /// - Throws: `SchemaError.database`.
    package static func revoke(on connection: borrowing Connection) throws(SchemaError) -> Int {
        try connection.query(
            "UPDATE public.api_keys k SET revoked_at = now() WHERE \(areDue)", during: "revoking ended keys"
        ).affectedRows
    }
}
