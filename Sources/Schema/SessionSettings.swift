package import PostgreSQL

/// The parameters that storage sets at the start of each session, over those of its role or its database.
///
/// Storage has its own deadlines; a timeout of PostgreSQL would end an idle session, or cancel a statement and leave
/// storage to guess. `synchronous_commit` must not be off: commits would be confirmed from memory. Warnings must
/// arrive: one of them says that a commit was not replicated. The session checks for its client every few seconds, so
/// that it ends after storage has died even while its statement waits for a lock; it does not check during a commit.
package enum SessionSettings {
    /// The SQL, several statements.
    ///
    /// - Parameter predecessors: the backends of earlier sessions of the same name that were abandoned with a
    ///   statement running. PostgreSQL does not notice that while the statement waits for a lock or a standby, so they
    ///   would pile up with each new attempt; they are told to end. The corresponding function is
    ///   `pg_terminate_backend`.
    package static func sql(ending predecessors: [Int32] = []) -> String {
        guard !predecessors.isEmpty else { return settings }
        return settings + """
            ; SELECT pid AS predecessor, pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE pid IN (\(predecessors.map(String.init).joined(separator: ", ")))
                AND pid <> pg_backend_pid() AND usename = current_user
                AND application_name = current_setting('application_name')
            """
    }

    /// The predecessors that were still there, if these rows list them.
    package static func predecessors(in rows: borrowing Rows) -> [Int32]? {
        guard rows.columns.first == "predecessor" else { return nil }
        return (0..<rows.count).compactMap { rows[row: $0, column: 0].flatMap { Int32($0) } }
    }

    // Not SET: PostgreSQL 14 lacks some of them.
    private static let settings = """
        SELECT set_config(name, value, false)
        FROM pg_settings JOIN (VALUES
            ('statement_timeout', '0'), ('transaction_timeout', '0'), ('lock_timeout', '0'),
            ('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
            ('default_transaction_isolation', 'read committed'), ('client_min_messages', 'warning'),
            ('synchronous_commit', 'on'), ('client_connection_check_interval', '5s'))
            AS wanted (name, value) USING (name)
        WHERE (name <> 'synchronous_commit' OR setting = 'off')
            AND (name <> 'client_connection_check_interval' OR version() LIKE '%linux%')
        """
}
