internal import PostgreSQL
internal import Schema
internal import StorageChannel

/// Stores events in PostgreSQL as storage would: those that are there already are skipped.
struct EventDelivery: ~Copyable {
    private let connection: Connection

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
    /// - Returns: the positions of those that PostgreSQL refuses for what they are, each with its reason.
    /// - Throws: `DatabaseError` when it cannot store now; some may be stored.
    func deliver(_ events: [SpooledEvent]) throws(DatabaseError) -> [(position: Int, reason: DatabaseError)] {
        var refused: [(position: Int, reason: DatabaseError)] = []
        var ranges = [0..<events.count]
        while let range = ranges.popLast() {
            guard !range.isEmpty else { continue }
            do throws(DatabaseError) {
                try insert(events[range])
            } catch {
                guard Self.isRefusal(error) else { throw error }
                guard range.count > 1 else {
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

    /// Classes 21 to 23, 54 and P0 of PostgreSQL's appendix A.
    private static func isRefusal(_ error: DatabaseError) -> Bool {
        ["21", "22", "23", "54", "P0"].contains { error.sqlState?.hasPrefix($0) == true }
    }
}
