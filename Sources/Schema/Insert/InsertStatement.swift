package import PostgreSQL
package import StorageChannel

/// The one statement that stores events: those of one day, each column an array. Storage executes it with binary
/// parameters, the command line with text.
///
/// It skips an event whose id the project has stored on the same day (the primary key) or on the day before or after.
/// The day is a literal in the text, so that the planner prunes all other partitions; with a parameter PostgreSQL
/// would lock every partition at each execution. With 99 partitions and 24 events at once, an event took 20 µs of
/// PostgreSQL's processor instead of 22, and 18 without the look at the neighbouring days.
///
/// Citus takes no subquery per event, so there the known ids of those two days are read first. PostgreSQL itself would be
/// as fast that way, but it may make the plan while a partition is empty, and would then read all of that partition for as
/// long as it keeps the plan.
///
/// It also writes a message to the WAL that nobody reads, so that its commit waits even when every event was a
/// duplicate. The rows it found may come from a session whose wait for the synchronous standby was cut off: they are
/// visible, and yet not replicated.
package enum InsertStatement {
    /// A column in the order of an event's record.
    package struct Column: Sendable {
        package let name: String
        package let kind: EventColumn.Kind
        /// The `pg_type.oid` of its type, and of the array type.
        package let element: UInt32
        package let array: UInt32

        fileprivate init(_ column: EventColumn) {
            name = "\(column.name)"
            kind = column.kind
            (element, array) =
                switch kind {
                case .int8: (20, 1016)
                case .text: (25, 1009)
                case .json: (114, 199)
                case .date: (1082, 1182)
                case .timestamptz: (1184, 1185)
                case .uuid: (2950, 2951)
                case .jsonb: (3802, 3807)
                }
        }

        /// The name, quoted for SQL.
        var identifier: String { "\"\(name)\"" }
    }

    package static let columns = EventRecord.Column.allCases.map { Column($0.declaration) }

    package static let parameterTypes: [UInt32] = columns.map(\.array)

    /// Asks how many of the columns a database has, whether it has claims, and whether it has Citus. Its schema may be
    /// the previous release's, and new columns come last.
    package static let look = """
        SELECT count(*) AS event_columns, to_regclass('public.event_claims') IS NOT NULL, \(Distribution.isCitus)
        FROM pg_catalog.pg_attribute
        WHERE attrelid = to_regclass('public.events') AND NOT attisdropped
            AND attname IN (\(columns.map { "'\($0.name)'" }.joined(separator: ", ")))
        """

    /// The number of columns, if these rows answer `look`; nil also where there is no table.
    package static func columns(in rows: borrowing Rows) -> Int? {
        guard rows.columns.first == "event_columns", rows.count == 1 else { return nil }
        return rows[row: 0, column: 0].flatMap { Int($0) }.flatMap { (1...columns.count).contains($0) ? $0 : nil }
    }

    /// Whether ids can be claimed, if these rows answer `look`.
    package static func hasClaims(in rows: borrowing Rows) -> Bool { rows[row: 0, column: 1] == "t" }

    /// Whether the statement must be the one for Citus, if these rows answer `look`.
    package static func isForCitus(in rows: borrowing Rows) -> Bool { rows[row: 0, column: 2] == "t" }

    /// - Parameters:
    ///   - day: the `received_on` of all the events, in days since 2000-01-01. One that PostgreSQL cannot express
    ///     makes the statement fail with SQLSTATE 22008.
    ///   - count: how many columns the database has, and how many parameters are given.
    ///   - claims: whether an id must also be unclaimed in `event_claims`, which has one row for an id and a midnight.
    ///     Two sessions that store the same id at the same moment under different days don't see each other's event;
    ///     they meet at this row.
    ///   - isForCitus: whether the database has Citus.
    package static func sql(
        day: Int32, columns count: Int = columns.count, claims: Bool = false, isForCitus: Bool = false
    ) -> String {
        let names = columns.prefix(count).map(\.identifier).joined(separator: ", ")
        let parameters = (1...max(count, 1)).map { "$\($0)" }.joined(separator: ", ")
        let (before, after) = (day == .min ? day : day - 1, day == .max ? day : day + 1)
        let queries = (isForCitus ? [known(on: before, after)] : []) + (claims ? [claim] : [])
        return """
            \(queries.isEmpty ? "" : "WITH \(queries.joined(separator: ", "))\n")INSERT INTO public.events (\(names))
            SELECT \(names) FROM unnest(\(parameters)) AS n(\(names))
            WHERE (SELECT pg_logical_emit_message(true, 'mesher', '')) IS NOT NULL
                AND \(isForCitus ? isUnknown : "\(isAbsent(on: before)) AND \(isAbsent(on: after))")
                \(claims ? isClaimed : "")
            ON CONFLICT DO NOTHING
            """
    }

    /// The midnight is the one nearest to the receipt. Claims are made in the order of the events, so that two
    /// sessions with the same ids cannot deadlock.
    private static let claim = """
        claimed AS (
            INSERT INTO public.event_claims (project_id, event_id, midnight)
            SELECT project_id, event_id, CAST(received_at AT TIME ZONE 'UTC' + interval '12 hours' AS date)
            FROM unnest($\(parameter(.projectID)), $\(parameter(.eventID)), $\(parameter(.receivedAt)))
                AS c(project_id, event_id, received_at)
            ON CONFLICT DO NOTHING RETURNING project_id, event_id)
        """

    private static let isClaimed = """
        AND EXISTS (SELECT FROM claimed c WHERE c.project_id = n.project_id AND c.event_id = n.event_id)
        """

    private static func parameter(_ column: EventRecord.Column) -> Int { column.rawValue + 1 }

    private static func date(_ day: Int32) -> String { "date '2000-01-01' + \(day)" }

    private static func isAbsent(on day: Int32) -> String {
        """
        (SELECT e.received_on FROM public.events e
        WHERE e.project_id = n.project_id AND e.event_id = n.event_id
            AND e.received_on BETWEEN \(date(day)) AND \(date(day))
        ORDER BY e.received_on LIMIT 1) IS NULL
        """
    }

    /// ANY lets Citus ask only the servers that have these projects.
    private static func known(on days: Int32...) -> String {
        """
        known AS MATERIALIZED (
            SELECT e.project_id, e.event_id
            FROM unnest($\(parameter(.projectID)), $\(parameter(.eventID))) AS k(project_id, event_id)
            JOIN public.events e ON e.project_id = k.project_id AND e.event_id = k.event_id
            WHERE e.project_id = ANY ($\(parameter(.projectID)))
                AND e.received_on IN (\(days.map(date).joined(separator: ", "))))
        """
    }

    private static let isUnknown = "(n.project_id, n.event_id) NOT IN (SELECT k.project_id, k.event_id FROM known k)"

    /// What the session must be set to before the statement is prepared.
    ///
    /// The statement is planned once, perhaps while the partitions are empty and every plan looks equally good, and is
    /// used when they are full. The look at the neighbouring days must then be a look-up in the primary key. So it
    /// asks for the order of that key, and sorting is off. (The days are a BETWEEN: with an equality the planner would
    /// know that the order holds anyway.) A subquery with a limit runs for each event and never becomes a join.
    /// `enable_indexscan` must stay on: in PostgreSQL 15 it also governs index-only scans.
    ///
    /// Citus can plan only with the values at hand, hence its custom plans.
    ///
    /// PostgreSQL's own compression takes up to 38 ns per byte of a long message; lz4 takes less than 2.
    package static let sessionSettings = """
        SET plan_cache_mode = force_generic_plan; SET jit = off; SET default_toast_compression = lz4;
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET enable_incremental_sort = off;
        SELECT set_config('plan_cache_mode', 'force_custom_plan', false) WHERE \(Distribution.isCitus)
        """
}
