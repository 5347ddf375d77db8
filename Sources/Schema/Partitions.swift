package import PostgreSQL

/// The daily partitions of `events`, named `events_YYYYMMDD` after a day in UTC.
package enum Partitions {
    /// For how many days ahead there must be one.
    package static let daysAhead = 7

    /// Makes what is missing from yesterday to a week ahead, by the server's clock, and returns how many it made.
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
}
