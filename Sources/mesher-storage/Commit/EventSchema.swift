import PostgreSQL
import Schema

/// What the database has for events; less than this release knows until `mesher db migrate` was run.
struct EventSchema: Equatable {
    /// The columns that there are: the first so many.
    var columns = InsertStatement.columns.count
    /// Whether ids can be claimed.
    var hasClaims = false
    /// Whether the statement must be the one for Citus.
    var isForCitus = false

    init() {}

    /// The answer to `InsertStatement.look`, if these rows are.
    init?(_ rows: borrowing Rows) {
        guard let columns = InsertStatement.columns(in: rows) else { return nil }
        self.columns = columns
        hasClaims = InsertStatement.hasClaims(in: rows)
        isForCitus = InsertStatement.isForCitus(in: rows)
    }

    /// The names of the columns that it lacks.
    var missingColumns: [String] { InsertStatement.columns[columns...].map(\.name) }

    var isComplete: Bool { hasClaims && missingColumns.isEmpty }
}
