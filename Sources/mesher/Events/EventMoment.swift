internal import ArgumentParser
internal import PostgreSQL

/// A time that an operator names: a day in UTC, which stands for its beginning, or a date and time, in UTC unless it says
/// otherwise.
struct EventMoment: ExpressibleByArgument {
    static let help = "such as 2026-01-31, its beginning in UTC, or 2026-01-31T13:00:00Z"

    private let text: String

    /// Nil when it has another shape, which PostgreSQL might take for another time than is meant.
    init?(argument: String) {
        let shape = /\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?/.asciiOnlyDigits()
        guard argument.wholeMatch(of: shape) != nil else { return nil }
        text = argument
    }

    /// Microseconds since 1970.
    ///
    /// - Throws: `CommandError` when there is no such day or time of day, else `DatabaseError`.
    func microseconds(on connection: borrowing Connection) throws -> Int64 {
        try connection.execute("SET timezone = 'UTC'")
        do throws(DatabaseError) {
            let rows = try connection.query("SELECT (extract(epoch FROM $1::timestamptz) * 1000000)::bigint", [text])
            return rows[row: 0, column: 0].flatMap { Int64($0) } ?? 0
        } catch {
            guard error.sqlState?.hasPrefix("22") == true else { throw error }
            throw CommandError(.dataError, "\(TextTable.printable(text)): \(error.message)")
        }
    }
}
