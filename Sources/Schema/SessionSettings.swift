package import PostgreSQL

/// What each session of storage is set to first, whatever is set for its role or its database.
///
/// Storage has deadlines of its own and knows what to do then; a timeout of PostgreSQL would end a session that idles, or
/// cancel a statement and leave it to guess. `synchronous_commit` must not be off: a commit would be confirmed from memory.
/// A warning must not be withheld: one says that a commit is not replicated. When storage dies, the session looks for its
/// client each few seconds also while a statement waits: else it would wait as long as a lock is held. It does not while it
/// commits.
package enum SessionSettings {
    /// The SQL, several statements.
    ///
    /// - Parameter predecessors: the processes of earlier sessions of the same name that were left with a statement under
    ///   way. PostgreSQL does not notice that while the statement waits for a lock or a standby, so that each new attempt
    ///   would leave another such process; they are told to end. The corresponding function is `pg_terminate_backend`.
    package static func sql(ending predecessors: [Int32] = []) -> String {
        guard !predecessors.isEmpty else { return settings }
        return settings + """
            ; SELECT pid AS predecessor, pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE pid IN (\(predecessors.map(String.init).joined(separator: ", ")))
                AND pid <> pg_backend_pid() AND usename = current_user
                AND application_name = current_setting('application_name')
            """
    }

    /// Those of the predecessors that were still there, if these rows tell of them.
    package static func predecessors(in rows: borrowing Rows) -> [Int32]? {
        guard rows.columns.first == "predecessor" else { return nil }
        return (0..<rows.count).compactMap { rows[row: $0, column: 0].flatMap { Int32($0) } }
    }

    // Not SET: PostgreSQL 14 does not have all of them.
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
