package import PostgreSQL

/// What the database has for events; less than this release knows until `mesher db migrate` was run.
package struct EventSchema: Equatable, Sendable {
    /// The columns that there are: the first so many.
    package var columns = InsertStatement.columns.count
    /// Whether ids can be claimed.
    package var hasClaims = false
    /// Whether the statement must be the one for Citus.
    package var isForCitus = false

    package init() {}

    /// The answer to `InsertStatement.look`, if these rows are.
    package init?(_ rows: borrowing Rows) {
        guard let columns = InsertStatement.columns(in: rows) else { return nil }
        self.columns = columns
        hasClaims = InsertStatement.hasClaims(in: rows)
        isForCitus = InsertStatement.isForCitus(in: rows)
    }

    /// The names of the columns that it lacks.
    package var missingColumns: [String] { InsertStatement.columns[columns...].map(\.name) }

    package var isComplete: Bool { hasClaims && missingColumns.isEmpty }
}
