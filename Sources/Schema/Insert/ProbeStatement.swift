internal import Notation
package import PostgreSQL
internal import StorageChannel

/// Finds out whether PostgreSQL accepts any row: inserts a harmless one into `events`, and rolls it back.
///
/// A subtransaction rolls back the row. The outer transaction has still written to the WAL, so that its commit waits
/// for the disk and for a synchronous standby, as a commit of events does.
package enum ProbeStatement {
    /// The columns with given values, from `level` on.
    private static let columns = InsertStatement.columns.dropFirst(EventRecord.Column.level.rawValue)

    /// The values of a minimal event, for the columns that every schema has.
    private static let modest: [[UInt8]?] = columns[...EventRecord.Column.payload.rawValue].map { column in
        switch column.name {
        case "level": Array("error".utf8)
        case "message": Array("probe".utf8)
        case "payload": Array("{}".utf8)
        default: nil
        }
    }

    /// - Parameters:
    ///   - day: the row's `received_on`, in days since 2000-01-01.
    ///   - columns: the values from `level` on, as in an event's record, as far as the database has the columns. Those
    ///     of an event that was stored are best, since a trigger or a constraint of the operator may look at them.
    package static func sql(project: Int64, day: Int32, columns: [[UInt8]?]? = nil) -> String {
        let columns = columns ?? modest
        let names = Self.columns.prefix(columns.count).map(\.identifier).joined(separator: ", ")
        let values = zip(Self.columns, columns).map { literal($1, $0.kind) }.joined(separator: ", ")
        return """
            DO $mesher$ BEGIN
                BEGIN
                    INSERT INTO public.events (project_id, event_id, received_at, "timestamp", received_on, \(names))
                    SELECT \(project), gen_random_uuid(), day, day, day, \(values)
                    FROM (SELECT date '2000-01-01' + \(day) AS day) AS days;
                    SET CONSTRAINTS ALL IMMEDIATE;
                    RAISE SQLSTATE 'MESHE';
                EXCEPTION WHEN SQLSTATE 'MESHE' THEN
                    NULL;
                END;
            END $mesher$
            """
    }

    /// A value as a hexadecimal literal, which needs no quoting.
    private static func literal(_ value: [UInt8]?, _ kind: EventColumn.Kind) -> String {
        guard var value = value?[...] else { return "NULL" }
        // jsonb has its version in front.
        if kind == .jsonb { value = value.dropFirst() }
        return "convert_from(decode('\(value.map(\.hexDigits).joined())', 'hex'), 'UTF8')::\(kind.rawValue)"
    }

    /// Whether PostgreSQL would accept rows other than the suspected one.
    ///
    /// - Parameters:
    ///   - error: what the probe failed with, if it did.
    ///   - suspect: the SQLSTATE with which the suspected event was refused; nil when PostgreSQL did not answer.
    /// - Returns: also true when the probe's row and the event were refused for different reasons: then triggers or
    ///   constraints of the operator refuse them, and not the server.
    package static func isTaken(_ error: DatabaseError?, suspect: String?) -> Bool {
        guard let error else { return true }
        return error.blamesRow && !error.isConnectionLost && error.sqlState != suspect
    }
}
