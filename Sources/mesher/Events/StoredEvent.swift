internal import PostgreSQL
internal import StorageChannel

/// What a list shows of an event.
struct StoredEvent {
    /// 32 hex digits.
    let id: String
    /// Microseconds since 1970-01-01T00:00:00Z.
    let receivedAt: Int64
    /// RFC 3339, UTC, microseconds.
    let received: String
    /// In the order of `listed`.
    let values: [String?]

    /// The columns that a list shows, as they are declared.
    static let listed = EventRecord.Column.allCases.filter(\.declaration.isListed)

    subscript(_ column: EventRecord.Column) -> String? {
        Self.listed.firstIndex(of: column).flatMap { values[$0] }
    }

    var level: String { self[.level] ?? "" }
    var message: String { self[.message] ?? "" }

    var json: JSON {
        let columns = zip(Self.listed, values).map { ("\($0.declaration.name)", JSON.optional($1)) }
        return .members([("id", .string(id)), ("received_at", .string(received))] + columns)
    }
}

extension StoredEvent {
    private static let columns =
        """
        replace(event_id::text, '-', ''), (extract(epoch FROM received_at) * 1000000)::bigint,
        to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        """ + listed.map { ", \"\($0.declaration.name)\"" }.joined()

    private init(_ rows: borrowing Rows, _ row: Int) {
        id = rows[row: row, column: 0] ?? ""
        receivedAt = rows[row: row, column: 1].flatMap { Int64($0) } ?? 0
        received = rows[row: row, column: 2] ?? ""
        values = Self.listed.indices.map { rows[row: row, column: 3 + $0] }
    }

    /// The latest events of a project, newest first.
    ///
    /// - Parameter level: only these; nil means all.
    static func latest(
        _ count: Int, of project: Int64, level: String? = nil, on connection: borrowing Connection
    ) throws(DatabaseError) -> [StoredEvent] {
        let rows = try connection.query(
            """
            SELECT \(columns) FROM public.events
            WHERE project_id = $1 AND ($2::text IS NULL OR level = $2)
            ORDER BY events.received_at DESC, event_id DESC LIMIT $3
            """, [String(project), level, String(count)])
        return (0..<rows.count).map { StoredEvent(rows, $0) }
    }

    /// Events of a project in the order (time of receipt, id), after such a pair.
    ///
    /// - Parameter position: microseconds and 32 hex digits.
    static func page(
        after position: TailCursor.Position, of project: Int64, limit: Int, on connection: borrowing Connection
    ) throws(DatabaseError) -> [StoredEvent] {
        // The date lets the planner leave out the partitions of the days before.
        let rows = try connection.query(
            """
            SELECT \(columns) FROM public.events
            WHERE project_id = $1 AND (events.received_at, event_id) > (\(moment), $3::uuid)
                AND received_on >= CAST(\(moment) AT TIME ZONE 'UTC' AS date)
            ORDER BY events.received_at, event_id LIMIT $4
            """, [String(project), String(position.receivedAt), position.id, String(limit)])
        return (0..<rows.count).map { StoredEvent(rows, $0) }
    }

    private static let moment = "(timestamptz 'epoch' + $2::bigint * interval '1 microsecond')"
}
