internal import Configuration
internal import PostgreSQL

/// The role and the connection by which storage writes.
struct StorageRoleCheck {
    private let settings: Settings
    private let subject = "storage's role"

    init(_ settings: Settings) {
        self.settings = settings
    }

    func findings() -> [Finding] {
        do throws(DatabaseError) {
            let connection = try open()
            let role = try role(connection)
            return role.isFault ? [role] : [role, try pooling(connection)]
        } catch {
            if let fault = DatabaseTLSFault(error, url: settings.text(.storageDatabaseURL)) {
                return [.fault(subject, fault.text, advice: fault.advice)]
            }
            let origin = settings.origin(.storageDatabaseURL)
            let advice =
                DatabaseCheck.advice(error.description, settings)
                ?? "correct MESHER_STORAGE_DATABASE_URL (now from: \(origin)); "
                + "create its role with CREATE ROLE mesher_storage LOGIN IN ROLE mesher_runtime"
            return [.fault(subject, error.description, advice: advice)]
        }
    }

    private func open() throws(DatabaseError) -> Connection {
        try Connection.open(settings.text(.storageDatabaseURL), applicationName: "mesher check")
    }

    private func role(_ connection: borrowing Connection) throws(DatabaseError) -> Finding {
        let rows = try connection.query(
            """
            SELECT current_user, rolsuper,
                has_table_privilege('public.events', 'INSERT')
                AND has_column_privilege('public.events', 'event_id', 'SELECT')
                AND has_table_privilege('public.projects', 'SELECT')
                AND has_table_privilege('public.api_keys', 'SELECT')
                AND has_table_privilege('public.event_claims', 'INSERT')
                AND has_table_privilege('public.event_claims', 'SELECT')
                AND has_function_privilege('public.mesher_make_partitions(date, date)', 'EXECUTE')
                AND has_function_privilege('public.mesher_note_key_uses(text[], integer[])', 'EXECUTE'),
                has_column_privilege('public.events', 'payload', 'SELECT'),
                EXISTS (SELECT FROM pg_roles r
                    WHERE r.rolname = 'mesher_runtime' AND pg_has_role(r.oid, 'USAGE'))
            FROM pg_roles WHERE rolname = current_user
            """)
        let role = rows[row: 0, column: 0] ?? ""
        if rows[row: 0, column: 1] == "t" {
            let advice = "use a role of its own: CREATE ROLE mesher_storage LOGIN IN ROLE mesher_runtime"
            return .fault(subject, "\(role) is a superuser", advice: advice)
        }
        guard rows[row: 0, column: 2] == "t" else {
            let isMember = rows[row: 0, column: 4] == "t"
            let advice =
                isMember
                ? "run mesher db migrate, which grants mesher_runtime what it needs"
                : "run mesher db migrate, then as superuser GRANT mesher_runtime TO \"\(role)\""
            return .fault(subject, "\(role) may not write events", advice: advice)
        }
        guard rows[row: 0, column: 3] == "f" else {
            let advice = "use a role that is a member of mesher_runtime and of nothing else"
            return .fault(subject, "\(role) may read events, which storage never needs", advice: advice)
        }
        return .good(subject, "\(role) may write events and cannot read them")
    }

    /// Between a session and a pool of transactions the difference is that two clients, both connected, can be served
    /// by one process of the server.
    private func pooling(_ first: borrowing Connection) throws(DatabaseError) -> Finding {
        let second = try open()
        let pid = "SELECT pg_backend_pid()"
        let one = try first.query(pid)
        let other = try second.query(pid)
        guard one[row: 0, column: 0] != other[row: 0, column: 0] else {
            let advice = "set pool_mode = session for this database: LISTEN and prepared statements need it"
            return .fault("pooling", "two connections share one server session", advice: advice)
        }
        return .good("pooling", "none, or session pooling")
    }
}
