internal import PostgreSQL
internal import Schema

/// How many events of a project are stored for each day, and about how many bytes they take.
///
/// It costs little however many there are: of each day's partition up to `countLimit` events are counted, by an index. If there
/// are more, the number is the planner's estimate. The bytes are those of the latest events, for all of them.
struct ProjectVolume {
    /// How exact a number of events is.
    enum Precision: String {
        case exact
        /// The planner's.
        case estimate
        /// There are more; the planner doesn't know the shards of Citus.
        case more
    }

    struct Day: Equatable {
        /// `YYYYMMDD`, in UTC.
        let day: String
        let events: Int64
        let precision: Precision
    }

    /// So many events of a day are counted.
    static let countLimit: Int64 = 10_000
    /// So many of the latest events are measured.
    private static let sample = 1_000
    /// Bytes that a row and its places in the indexes take beside the columns that are measured.
    private static let rowBytes: Int64 = 200

    /// Those that have events, latest first.
    let days: [Day]
    let bytesPerEvent: Int64
}

extension ProjectVolume {
    /// - Throws: `DatabaseError`, or `SchemaError`.
    init(of project: Int64, on connection: borrowing Connection) throws {
        // A plan that reads a whole table, because the statistics are old, would take as long as the table is large.
        try connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        defer { try? connection.execute("RESET enable_seqscan; RESET enable_bitmapscan") }
        let isCitus = try Distribution.look(on: connection) != nil
        var days: [Day] = []
        var bytes: Int64?
        for partition in try Partition.all(on: connection).reversed() {
            do throws(DatabaseError) {
                let day = try Self.count(project, in: partition, isCitus: isCitus, on: connection)
                guard day.events > 0 else { continue }
                days.append(day)
                if bytes == nil { bytes = try Self.bytes(of: project, in: partition, on: connection) }
            } catch {
                // Maintenance has dropped it meanwhile.
                guard error.sqlState == "42P01" else { throw error }
            }
        }
        self.days = days
        bytesPerEvent = bytes ?? 0
    }

    private static func count(
        _ project: Int64, in partition: Partition, isCitus: Bool, on connection: borrowing Connection
    ) throws(DatabaseError) -> Day {
        let events = "FROM public.\(partition.name) WHERE project_id = \(project)"
        let counted = try connection.query("SELECT count(*) FROM (SELECT \(events) LIMIT \(countLimit + 1)) AS found")
        let number = counted[row: 0, column: 0].flatMap { Int64($0) } ?? 0
        let day = String(partition.day)
        guard number > countLimit else { return Day(day: day, events: number, precision: .exact) }
        guard !isCitus else { return Day(day: day, events: countLimit, precision: .more) }
        let plan = try connection.query("EXPLAIN (FORMAT JSON) SELECT \(events)")
        let estimate = plannedRows(plan[row: 0, column: 0] ?? "") ?? 0
        return Day(day: day, events: max(estimate, number), precision: .estimate)
    }

    /// The number that the outermost node of a plan in JSON is expected to find.
    static func plannedRows(_ plan: String) -> Int64? {
        let name = "\"Plan Rows\":"
        guard let line = plan.split(separator: "\n").first(where: { $0.contains(name) }) else { return nil }
        return Int64(line.filter(\.isNumber))
    }

    private static func bytes(
        of project: Int64, in partition: Partition, on connection: borrowing Connection
    ) throws(DatabaseError) -> Int64 {
        let rows = try connection.query(
            """
            SELECT avg(pg_column_size(payload) + coalesce(pg_column_size(tags), 0) + pg_column_size(message))::bigint
            FROM (SELECT payload, tags, message FROM public.\(partition.name) WHERE project_id = \(project)
                ORDER BY received_at DESC LIMIT \(sample)) AS latest
            """)
        return (rows[row: 0, column: 0].flatMap { Int64($0) } ?? 0) + rowBytes
    }
}

extension ProjectVolume {
    /// All of them.
    var events: Int64 { days.reduce(0) { $0 + $1.events } }

    var precision: Precision {
        if days.contains(where: { $0.precision == .more }) { return .more }
        return days.allSatisfy { $0.precision == .exact } ? .exact : .estimate
    }

    var bytes: Int64 {
        let (bytes, isOverflow) = events.multipliedReportingOverflow(by: bytesPerEvent)
        return isOverflow ? .max : bytes
    }

    /// Days of which some may have no events.
    func days(_ wanted: [String]) -> [Day] {
        wanted.map { day in days.first { $0.day == day } ?? Day(day: day, events: 0, precision: .exact) }
    }

    /// For people: `12 events, about 0.1 MiB`.
    var summary: String {
        guard events > 0 else { return "no events" }
        let size = (Double(bytes) / 104_857.6).rounded() / 10
        return "\(precision.text(events)) \(events == 1 ? "event" : "events"), about \(size) MiB"
    }
}

extension ProjectVolume.Precision {
    func text(_ events: Int64) -> String {
        switch self {
        case .exact: "\(events)"
        case .estimate: "about \(events)"
        case .more: "more than \(events)"
        }
    }
}

extension ProjectVolume.Day {
    /// As RFC 3339 writes it.
    var date: String { "\(day.prefix(4))-\(day.dropFirst(4).prefix(2))-\(day.dropFirst(6))" }
}
