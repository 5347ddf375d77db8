package import PostgreSQL

/// The events over several servers by Citus, PostgreSQL's extension for that: each project's are on one of them.
///
/// Organizations, projects and keys stay on the server that Mesher connects to: Citus takes no table with triggers, and theirs
/// tell storage at once what has changed.
package struct Distribution: Equatable, Sendable {
    /// A table that is spread by its `project_id`.
    package struct Table: Equatable, Sendable {
        package let name: String
        package let isDistributed: Bool
        /// The planner's estimate.
        package let rows: Int64
    }

    /// Citus', as `pg_extension` has it.
    package let version: String
    /// How many servers take events.
    package let servers: Int
    package let tables: [Table]

    /// Whether a database has Citus, as a condition of SQL.
    static let isCitus = "EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')"

    private static let names = ["events", "event_claims"]

    /// - Throws: `SchemaError.database`.
    static func isCitus(_ connection: borrowing Connection) throws(SchemaError) -> Bool {
        try connection.query("SELECT \(isCitus)", during: "looking for Citus")[row: 0, column: 0] == "t"
    }

    /// What there is; nil when the database has no Citus.
    ///
    /// - Throws: `SchemaError.database`.
    package static func look(on connection: borrowing Connection) throws(SchemaError) -> Distribution? {
        guard try isCitus(connection) else { return nil }
        let step = "looking at Citus"
        let rows = try connection.query(
            """
            SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'),
                (SELECT count(*) FROM pg_catalog.pg_dist_node
                WHERE noderole = 'primary' AND isactive AND shouldhaveshards)
            """, during: step)
        var tables: [Table] = []
        for name in names {
            let found = try connection.query(
                """
                SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1::regclass AND partmethod = 'h'),
                    (SELECT sum(greatest(reltuples, 0))::bigint FROM pg_class WHERE relkind = 'r' AND oid IN (
                        SELECT $1::regclass UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::regclass))
                """, ["public." + name], during: step)
            let estimate = found[row: 0, column: 1].flatMap { Int64($0) } ?? 0
            tables.append(Table(name: name, isDistributed: found[row: 0, column: 0] == "t", rows: estimate))
        }
        return Distribution(
            version: rows[row: 0, column: 0] ?? "", servers: rows[row: 0, column: 1].flatMap { Int($0) } ?? 0,
            tables: tables)
    }

    /// Spreads a table over the servers, with the rows that it has. Nobody can write to it meanwhile.
    ///
    /// - Throws: `SchemaError.database`; what was done before stays done.
    package func distribute(_ table: Table, on connection: borrowing Connection) throws(SchemaError) {
        // A project's claims are on the server where its events are.
        let (first, isFirst) = (Self.names[0], table.name == Self.names[0])
        let place = isFirst ? "" : ", colocate_with => 'public.\(first)'"
        try connection.execute(
            "SELECT create_distributed_table('public.\(table.name)', 'project_id'\(place))",
            during: "distributing \(table.name)")
    }
}
