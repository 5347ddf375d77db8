internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import StorageChannel
internal import System

/// Stores events in PostgreSQL by the same rules and statements as storage: those that are there already are skipped.
struct EventDelivery: ~Copyable {
    private let connection: Connection
    private let schema: EventSchema
    /// Microseconds.
    private let midnightMargin: Int64
    /// Whether it has stored an event, so that PostgreSQL takes rows.
    private var hasStored = false

    private init(_ connection: consuming Connection, midnightMargin: Int64) throws(DatabaseError) {
        schema = try EventSchema(connection.query(InsertStatement.look)) ?? EventSchema()
        self.connection = connection
        self.midnightMargin = midnightMargin
    }

    /// A delivery to the database of MESHER_STORAGE_DATABASE_URL, as the role that it names.
    ///
    /// - Throws: `DatabaseError`.
    static func open(_ settings: Settings) throws(DatabaseError) -> EventDelivery {
        let connection = try Connection.open(settings.text(.storageDatabaseURL), applicationName: "mesher")
        try connection.execute(SessionSettings.sql() + "; " + InsertStatement.sessionSettings)
        return try EventDelivery(connection, midnightMargin: Int64(settings.integer(.midnightMargin)) * 1_000_000)
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
        var progress = DeliveryProgress(events)
        while true {
            switch progress.plan.step(now: Clock.monotonic()) {
            case .insert(let range):
                do throws(DatabaseError) {
                    try insert(progress.events[range])
                    hasStored = true
                    _ = progress.plan.inserted()
                } catch {
                    try progress.failed(error, now: Clock.monotonic())
                }
            case .makePartitions(let range):
                do throws(DatabaseError) {
                    try connection.execute(
                        PartitionStatement.days(Set(progress.events[range].map(\.head.receivedOn))))
                    progress.plan.madePartitions()
                } catch {
                    progress.lacksPartitions(error)
                }
            case .probe(let position):
                if withProof, !hasStored, let suspect = progress.suspects[position] {
                    try requireOtherRows(than: progress.events[position], suspect)
                }
                _ = progress.plan.probed()
            case .wait(let moment): usleep(UInt32(clamping: (moment - Clock.monotonic()) / 1_000))
            case .finished: return progress.refused
            }
        }
    }

    /// Stores events of one day.
    private func insert(_ events: ArraySlice<SpooledEvent>) throws(DatabaseError) {
        let form = StatementForm(of: events.map(\.head), margin: schema.hasClaims ? midnightMargin : 0)
        let arrays = EventRecord.Column.allCases.prefix(schema.columns).map { column in
            Self.array(events.map { $0[column] })
        }
        _ = try connection.query(
            InsertStatement.sql(
                day: form.day, columns: schema.columns, claims: form.claims, isForCitus: schema.isForCitus),
            arrays, types: Array(InsertStatement.parameterTypes.prefix(schema.columns)))
    }

    /// An array as text, each element quoted.
    static func array(_ values: [String?]) -> String {
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
