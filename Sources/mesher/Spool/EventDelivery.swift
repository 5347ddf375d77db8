internal import PostgreSQL
internal import Schema
internal import StorageChannel

/// Stores events in PostgreSQL as storage would: those that are there already are skipped.
struct EventDelivery: ~Copyable {
    private let connection: Connection
    /// How many of an event's columns the database has.
    private let columns: Int
    private let isForCitus: Bool
    /// Whether it has stored an event, so that PostgreSQL takes rows.
    private var hasStored = false

    /// - Throws: `DatabaseError`.
    init(_ connection: consuming Connection) throws(DatabaseError) {
        let found = try connection.query(InsertStatement.look)
        columns = InsertStatement.columns(in: found) ?? InsertStatement.columns.count
        isForCitus = InsertStatement.isForCitus(in: found)
        self.connection = connection
    }

    /// A delivery to a database, as the role that the URL names.
    ///
    /// - Throws: `DatabaseError`.
    static func open(_ url: String) throws(DatabaseError) -> EventDelivery {
        let connection = try Connection.open(url, applicationName: "mesher")
        try connection.execute(SessionSettings.sql() + "; " + InsertStatement.sessionSettings)
        return try EventDelivery(connection)
    }

    /// Why the database may not be that of the events of these projects; nil when it is.
    func fault(_ projects: Set<Int64>, of origin: SpoolOrigin) throws(DatabaseError) -> String? {
        try origin.fault(projects, on: connection)
    }

    /// The id of a project by its slug or id; nil when there is none.
    func project(_ reference: String) throws(DatabaseError) -> Int64? {
        let column = Int64(reference) == nil ? "slug" : "id::text"
        let rows = try connection.query("SELECT id FROM public.projects WHERE \(column) = $1", [reference])
        return rows.count == 1 ? rows[row: 0, column: 0].flatMap { Int64($0) } : nil
    }

    /// Stores events. Those of projects that the database does not have are refused too.
    ///
    /// - Parameter withProof: an event counts as refused only if PostgreSQL takes another row.
    /// - Returns: the positions of those that PostgreSQL refuses for what they are, each with its reason.
    /// - Throws: `DatabaseError` when it cannot store now; some may be stored.
    mutating func deliver(
        _ events: [SpooledEvent], withProof: Bool
    ) throws(DatabaseError) -> [(position: Int, reason: DatabaseError)] {
        let projects = try existing(Set(events.map(\.project)))
        let places = events.indices.filter { projects.contains(events[$0].project) }
        let others = events.indices.filter { !projects.contains(events[$0].project) }.map { position in
            let message =
                "the database has no project \(events[position].project): restored from an older backup, or deleted"
            return (position: position, reason: DatabaseError(operation: "store", message: message))
        }
        let refused = try store(places.map { events[$0] }, withProof: withProof)
        return others + refused.map { (places[$0.position], $0.reason) }
    }

    /// Those of the projects that the database has.
    private func existing(_ projects: Set<Int64>) throws(DatabaseError) -> Set<Int64> {
        let list = "{\(projects.map(String.init).joined(separator: ","))}"
        let rows = try connection.query("SELECT id FROM public.projects WHERE id = ANY ($1::bigint[])", [list])
        return Set((0..<rows.count).compactMap { rows[row: $0, column: 0].flatMap { Int64($0) } })
    }

    private mutating func store(
        _ events: [SpooledEvent], withProof: Bool
    ) throws(DatabaseError) -> [(position: Int, reason: DatabaseError)] {
        var refused: [(position: Int, reason: DatabaseError)] = []
        var ranges = [0..<events.count]
        while let range = ranges.popLast() {
            guard !range.isEmpty else { continue }
            do throws(DatabaseError) {
                try insert(events[range])
                hasStored = true
            } catch {
                guard error.blamesRow else { throw error }
                guard range.count > 1 else {
                    if withProof, !hasStored { try requireOtherRows(than: events[range.lowerBound], error) }
                    refused.append((range.lowerBound, error))
                    continue
                }
                let middle = range.lowerBound + range.count / 2
                ranges += [middle..<range.upperBound, range.lowerBound..<middle]
            }
        }
        return refused
    }

    private func insert(_ events: ArraySlice<SpooledEvent>) throws(DatabaseError) {
        do throws(DatabaseError) {
            try execute(events)
        } catch {
            // Its day has no partition, or a CHECK of the operator is violated.
            guard error.sqlState == "23514" else { throw error }
            let days = Set(events.compactMap { $0[.receivedOn] })
            for day in days {
                _ = try connection.query("SELECT public.mesher_make_partitions($1::date, $1::date)", [day])
            }
            try execute(events)
        }
    }

    private func execute(_ events: ArraySlice<SpooledEvent>) throws(DatabaseError) {
        let days = Dictionary(grouping: events, by: \.head.receivedOn).sorted { $0.key < $1.key }
        for (day, events) in days {
            let arrays = EventRecord.Column.allCases.prefix(columns).map { column in
                Self.array(events.map { $0[column] })
            }
            _ = try connection.query(
                InsertStatement.sql(day: day, columns: columns, isForCitus: isForCitus), arrays,
                types: Array(InsertStatement.parameterTypes.prefix(columns)))
        }
    }

    /// An array as text, each element quoted.
    private static func array(_ values: [String?]) -> String {
        let elements = values.map { value in
            guard let value else { return "NULL" }
            var quoted = "\""
            for scalar in value.unicodeScalars {
                if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
                quoted.unicodeScalars.append(scalar)
            }
            return quoted + "\""
        }
        return "{" + elements.joined(separator: ",") + "}"
    }

    /// Throws when PostgreSQL refuses any other row as it does this event: then it is not the event's fault.
    private func requireOtherRows(than event: SpooledEvent, _ error: DatabaseError) throws(DatabaseError) {
        let today = try connection.query("SELECT (now() AT TIME ZONE 'UTC')::date - date '2000-01-01'")
        let day = today[row: 0, column: 0].flatMap { Int32($0) } ?? event.head.receivedOn
        do throws(DatabaseError) {
            try connection.execute(ProbeStatement.sql(project: event.project, day: day))
        } catch let refusal {
            guard ProbeStatement.isTaken(refusal, suspect: error.sqlState) else { throw error }
        }
    }
}
