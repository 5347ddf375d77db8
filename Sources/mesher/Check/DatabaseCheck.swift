internal import Configuration
internal import PostgreSQL
internal import Schema
internal import System

/// PostgreSQL, as the operator's commands and storage need it.
struct DatabaseCheck {
    /// The first version with DETACH PARTITION … CONCURRENTLY and lz4, as `server_version_num` has it.
    static let oldestVersion = 140_000

    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    func findings() -> [Finding] {
        let subject = "PostgreSQL"
        do throws(DatabaseError) {
            let connection = try Connection.open(settings.text(.databaseURL), applicationName: "mesher check")
            var findings = [try version(connection), try clock(connection)]
            let schema = schema(connection)
            findings.append(schema)
            if !schema.isFault {
                findings += try owner(connection)
                findings.append(try daysAhead(connection))
                findings.append(retention(connection))
                findings += StorageRoleCheck(settings).findings()
            }
            return findings
        } catch {
            if let fault = DatabaseTLSFault(error, url: settings.text(.databaseURL)) {
                return [.fault(subject, fault.text, advice: fault.advice)]
            }
            let origin = settings.origin(.databaseURL)
            let advice =
                Self.advice(error.description, settings)
                ?? "start PostgreSQL, or correct MESHER_DATABASE_URL (now from: \(origin))"
            return [.fault(subject, error.description, advice: advice)]
        }
    }

    /// What to do when PostgreSQL is there and lets nobody in; nil for other errors.
    static func advice(_ error: String, _ settings: Settings) -> String? {
        // One more is for keys.
        let connections = settings.integer(.commitConnections) + settings.integer(.bulkConnections) + 1
        if error.contains("password authentication failed") {
            return "the role has another password, or is missing: restore it, or run mesher setup --set-passwords"
        }
        if error.contains("database \"") && error.contains("does not exist") {
            return "restore it, or let mesher setup create it; or correct the URL"
        }
        if error.contains("too many connections for role") {
            return "ALTER ROLE … CONNECTION LIMIT: storage needs \(connections), and each of the operator's commands 1"
        }
        if error.contains("too many connections for database") {
            return
                "ALTER DATABASE … CONNECTION LIMIT: storage needs \(connections) for each host, and each of the operator's "
                + "commands 1"
        }
        if error.contains("too many clients") || error.contains("remaining connection slots") {
            return
                "raise max_connections, or see what uses them (pg_stat_activity); storage needs \(connections) for each host"
        }
        return nil
    }

    private func version(_ connection: borrowing Connection) throws(DatabaseError) -> Finding {
        let rows = try connection.query(
            """
            SELECT current_setting('server_version_num')::int >= \(Self.oldestVersion), current_setting('server_version'),
                current_setting('server_encoding')
            """)
        let version = rows[row: 0, column: 1] ?? ""
        let encoding = rows[row: 0, column: 2] ?? ""
        guard rows[row: 0, column: 0] == "t" else {
            return .fault("PostgreSQL", "version \(version)", advice: "upgrade to PostgreSQL 14 or newer")
        }
        guard encoding == "UTF8" else {
            let advice = "recreate the database with ENCODING 'UTF8' TEMPLATE template0"
            return .fault("PostgreSQL", "the database's encoding is \(encoding)", advice: advice)
        }
        return .good("PostgreSQL", "version \(version)")
    }

    private func clock(_ connection: borrowing Connection) throws(DatabaseError) -> Finding {
        let before = Clock.wall()
        let rows = try connection.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        let after = Clock.wall()
        let theirs = rows[row: 0, column: 0].flatMap { Int64($0) } ?? before
        return ClockComparison("PostgreSQL", theirs: theirs, before: before, after: after).finding
    }

    private func schema(_ connection: borrowing Connection) -> Finding {
        do throws(SchemaError) {
            try Migrator().requireLatest(of: connection)
            return .good("schema", "version \(try Migrator().version(of: connection))")
        } catch {
            let advice =
                switch error {
                case .outdated: "run mesher db migrate"
                case .newer: "install the version of Mesher that created this schema, or a newer one"
                case .inconsistent: "restore schema_migrations, or the database from a backup"
                case .database, .maintained: "set MESHER_DATABASE_URL to the role that owns the schema"
                }
            return .fault("schema", error.description, advice: advice)
        }
    }

    /// A role that does not own the tables can neither migrate nor maintain them.
    private func owner(_ connection: borrowing Connection) throws(DatabaseError) -> [Finding] {
        let rows = try connection.query("SELECT \(Rights.isOwner), current_user")
        guard rows[row: 0, column: 0] != "t" else { return [] }
        let role = rows[row: 0, column: 1] ?? ""
        let advice = "run mesher db migrate once with a MESHER_DATABASE_URL that names a superuser"
        return [.fault("owner", "not all tables belong to \(role)", advice: advice)]
    }

    private func daysAhead(_ connection: borrowing Connection) throws(DatabaseError) -> Finding {
        let rows = try connection.query(
            """
            SELECT string_agg(to_char(day, 'YYYYMMDD'), ', ' ORDER BY day)
            FROM generate_series(
                date_trunc('day', now() AT TIME ZONE 'UTC'),
                date_trunc('day', now() AT TIME ZONE 'UTC') + interval '\(Partition.daysAhead - 1) days',
                interval '1 day') AS day
            WHERE NOT EXISTS (
                SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'public.events'::regclass AND NOT i.inhdetachpending
                    AND c.relname = 'events_' || to_char(day, 'YYYYMMDD'))
            """)
        if let missing = rows[row: 0, column: 0] {
            return .fault("partitions", "none for \(missing)", advice: "run mesher db maintain")
        }
        return .good("partitions", "today and the next \(Partition.daysAhead - 1) days")
    }

    /// Two days late is acceptable: a run may have met a long transaction.
    private func retention(_ connection: borrowing Connection) -> Finding {
        do throws(SchemaError) {
            let days = settings.integer(.retentionDays)
            let due = try Partition.day(daysAgo: days + 2, on: connection)
            let partitions = try Partition.all(on: connection)
            let held = partitions.filter(\.isHeld).map(\.name).joined(separator: ", ")
            guard let oldest = partitions.first(where: { !$0.isHeld && $0.day < due }) else {
                return .good("retention", "\(days) days" + (held.isEmpty ? "" : ", and held: \(held)"))
            }
            let text = "\(oldest.name) is older than \(days) days"
            return .fault("retention", text, advice: "run mesher db maintain once a day")
        } catch {
            let advice = "set MESHER_DATABASE_URL to the role that owns the schema"
            return .fault("retention", error.description, advice: advice)
        }
    }
}
