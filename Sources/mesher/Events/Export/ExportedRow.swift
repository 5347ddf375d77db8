internal import PostgreSQL
internal import Schema
internal import StorageChannel

/// A row of `events` as text, or what a page says of one that is not wanted.
struct ExportedRow {
    /// Where it stands in its day: time of receipt in microseconds since 1970, and 32 hex digits.
    let position: TailCursor.Position
    /// By `EventRecord.Column`, as `SpooledEvent` has them; nil when the row does not match the conditions.
    let values: [String?]?

    subscript(_ column: EventRecord.Column) -> String? { values?[column.rawValue] ?? nil }
}

/// Reads a project's events of one day in the order of receipt, page by page. Each page is a statement of its own, so that no
/// snapshot stays open; it looks at a bounded number of rows and returns a bounded number of bytes.
struct ExportPages {
    /// Bytes of payloads after which a page ends, not before its first row.
    private static let bytes = 4 << 20
    private static let mostRows = 1_000

    private let project: Int64
    private let conditions: [EventCondition]
    /// Microseconds since 1970.
    private let range: Range<Int64>
    /// The rows of the next page.
    private var limit = 100

    init(project: Int64, _ conditions: [EventCondition], range: Range<Int64>) {
        self.project = project
        self.conditions = conditions
        self.range = range
    }

    /// The rows after a position, none at the end of the day, and none when the day was dropped.
    mutating func next(
        of partition: Partition, after position: TailCursor.Position, atMost most: Int,
        on connection: borrowing Connection
    ) throws(DatabaseError) -> [ExportedRow] {
        let limit = min(limit, most)
        do throws(DatabaseError) {
            let rows = try connection.query(
                Self.sql(partition.name, conditions, limit: limit),
                [
                    String(project), String(position.receivedAt), position.id, String(range.lowerBound),
                    String(range.upperBound),
                ] + conditions.map(\.value))
            // A page that is cut for its bytes has made PostgreSQL read the rest in vain.
            let isCut = rows.count < limit && rows.count > 0
            self.limit = isCut ? max(2 * rows.count, 4) : min(2 * limit, Self.mostRows)
            return (0..<rows.count).map { ExportedRow(rows, $0) }
        } catch {
            guard error.sqlState == "42P01" else { throw error }
            return []
        }
    }

    /// One page. Rows that don't match come as well, with nothing but their position, so that the next page can begin after them.
    static func sql(_ partition: String, _ conditions: [EventCondition], limit: Int) -> String {
        let names = ExportedRow.columns.map(\.name).joined(separator: ", ")
        let wanted = conditions.enumerated().map { "\($1.column) = $\($0 + 6)" }
        let matches = wanted.isEmpty ? "true" : "coalesce(\(wanted.joined(separator: " AND ")), false)"
        func moment(_ number: Int) -> String { "(timestamptz 'epoch' + $\(number)::bigint * interval '1 microsecond')" }
        return """
            SELECT replace(event_id::text, '-', ''), (extract(epoch FROM received_at) * 1000000)::bigint, matches,
                \(ExportedRow.columns.map { "CASE WHEN matches THEN \($0.text) END" }.joined(separator: ", "))
            FROM (
                SELECT *, sum(size) OVER (ORDER BY received_at, event_id) - size AS before
                FROM (
                    SELECT \(names), \(matches) AS matches,
                        CASE WHEN \(matches) THEN octet_length(payload::text) ELSE 0 END AS size
                    FROM public.\(partition)
                    WHERE project_id = $1 AND (received_at, event_id) > (\(moment(2)), $3::uuid)
                        AND received_at >= \(moment(4)) AND received_at < \(moment(5))
                    ORDER BY received_at, event_id LIMIT \(limit)
                ) AS page
            ) AS bounded
            WHERE before < \(bytes) ORDER BY received_at, event_id
            """
    }
}

extension ExportedRow {
    /// The columns, each with what makes the text that `SpooledEvent` has of it.
    fileprivate static let columns = EventRecord.Column.allCases.map { column in
        let name = "\"\(column.declaration.name)\""
        let text =
            switch column.declaration.kind {
            case .uuid: "replace(\(name)::text, '-', '')"
            case .timestamptz: "to_char(\(name) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
            case .date: "to_char(\(name), 'YYYY-MM-DD')"
            case .int8, .text, .jsonb, .json: name
            }
        return (name: name, text: text)
    }

    fileprivate init(_ rows: borrowing Rows, _ row: Int) {
        position = TailCursor.Position(
            receivedAt: rows[row: row, column: 1].flatMap { Int64($0) } ?? 0, id: rows[row: row, column: 0] ?? "")
        let isWanted = rows[row: row, column: 2] == "t"
        values = isWanted ? Self.columns.indices.map { rows[row: row, column: 3 + $0] } : nil
    }
}
