/// The one statement that stores events: a whole batch, each column an array. Storage executes it with binary parameters, the
/// command line with text.
///
/// It skips an event whose id the project has stored on the same day (the primary key) or on the day before or after.
/// `$18` and `$19` are the first and the last day in the batch: with them the executor opens the partitions around those
/// days alone, instead of every partition of the table at each execution.
///
/// It writes to the log, a message that nobody reads, also when all events are there already, and thus has a commit to wait
/// for: what another session has stored may be visible and yet not be on the synchronous standby, if its wait was cut off.
package enum InsertStatement {
    package static let name: StaticString = "insert_events"

    /// Column names in the order of an event's record, and the `pg_type.oid` of their type and of an array of it.
    package static let columns: [(name: String, element: UInt32, array: UInt32)] = [
        ("project_id", int8, 1016), ("event_id", uuid, 2951),
        ("received_at", timestamptz, 1185), ("\"timestamp\"", timestamptz, 1185), ("received_on", date, 1182),
        ("level", text, 1009), ("message", text, 1009), ("platform", text, 1009), ("environment", text, 1009),
        ("release", text, 1009), ("server_name", text, 1009), ("logger", text, 1009), ("transaction", text, 1009),
        ("sdk_name", text, 1009), ("sdk_version", text, 1009), ("tags", jsonb, 3807), ("payload", json, 199),
    ]

    private static let int8: UInt32 = 20
    private static let text: UInt32 = 25
    private static let json: UInt32 = 114
    private static let date: UInt32 = 1082
    private static let timestamptz: UInt32 = 1184
    private static let uuid: UInt32 = 2950
    private static let jsonb: UInt32 = 3802

    package static let parameterTypes: [UInt32] = columns.map(\.array) + [date, date]

    package static let sql: String = {
        let names = columns.map(\.name).joined(separator: ", ")
        let parameters = (1...columns.count).map { "$\($0)" }.joined(separator: ", ")
        return """
            INSERT INTO public.events (\(names))
            SELECT \(names) FROM unnest(\(parameters)) AS n(\(names))
            WHERE (SELECT pg_logical_emit_message(true, 'mesher', '')) IS NOT NULL AND (
                SELECT e.received_on FROM public.events e
                WHERE e.project_id = n.project_id AND e.event_id = n.event_id
                    AND e.received_on IN (n.received_on - 1, n.received_on + 1)
                    AND e.received_on >= $\(columns.count + 1) - 1 AND e.received_on <= $\(columns.count + 2) + 1
                ORDER BY e.received_on LIMIT 1) IS NULL
            ON CONFLICT DO NOTHING
            """
    }()

    /// What the session must be set to before the statement is prepared.
    ///
    /// The statement is planned once, perhaps while partitions are empty and every plan seems equally good, and used when
    /// they are not. So that the look at the neighbouring days can only be one at the primary key, it asks for the order
    /// of that key, and sorting is off; as a subquery with a limit it is made for each event and never becomes a join.
    /// `enable_indexscan` must stay on: PostgreSQL 15 takes it for index-only scans too.
    package static let sessionSettings = """
        SET plan_cache_mode = force_generic_plan; SET jit = off;
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET enable_incremental_sort = off
        """
}
