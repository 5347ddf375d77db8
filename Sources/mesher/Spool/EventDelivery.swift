internal import PostgreSQL
internal import Schema
internal import StorageChannel

/// Stores events in PostgreSQL as storage would: those that are there already are skipped.
struct EventDelivery: ~Copyable {
    private let connection: Connection
    /// Whether it has stored an event, so that PostgreSQL takes rows.
    private var hasStored = false

    init(_ connection: consuming Connection) {
        self.connection = connection
    }

    /// A delivery to a database, as the role that the URL names.
    ///
    /// - Throws: `DatabaseError`.
    static func open(_ url: String) throws(DatabaseError) -> EventDelivery {
        let connection = try Connection.open(url, applicationName: "mesher")
        try connection.execute(SessionSettings.sql() + "; " + InsertStatement.sessionSettings)
        return EventDelivery(connection)
    }

    /// Stores events.
    ///
    /// - Parameter withProof: an event counts as refused only if PostgreSQL takes another row.
    /// - Returns: the positions of those that PostgreSQL refuses for what they are, each with its reason.
    /// - Throws: `DatabaseError` when it cannot store now; some may be stored.
    mutating func deliver(
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
            let arrays = EventRecord.Column.allCases.map { column in Self.array(events.map { $0[column] }) }
            _ = try connection.query(InsertStatement.sql(day: day), arrays, types: InsertStatement.parameterTypes)
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
            try connection.execute(ProbeStatement.sql(project: event.head.project, day: day))
        } catch let refusal {
            guard ProbeStatement.isTaken(refusal, suspect: error.sqlState) else { throw error }
        }
    }
}
