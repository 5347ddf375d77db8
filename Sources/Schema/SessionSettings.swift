/// What each session of storage is set to first, whatever is set for its role or its database.
///
/// Storage has deadlines of its own and knows what to do then; a timeout of PostgreSQL would end a session that idles, or
/// cancel a statement and leave it to guess. `synchronous_commit` must not be off: a commit would be confirmed from memory.
/// A warning must not be withheld: one says that a commit is not replicated.
package enum SessionSettings {
    /// The SQL, several statements.
    ///
    /// - Parameter predecessor: the process of an earlier session of the same name that was left with a statement under way.
    ///   PostgreSQL does not notice that while the statement waits for a lock or a standby, so that each new attempt would
    ///   leave another such process; it is ended. The corresponding function is `pg_terminate_backend`.
    package static func sql(ending predecessor: Int32? = nil) -> String {
        guard let predecessor else { return settings }
        return settings + """
            ; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = \(predecessor)
                AND usename = current_user AND application_name = current_setting('application_name')
            """
    }

    // Not SET: PostgreSQL 14 does not have all of them.
    private static let settings = """
        SELECT set_config(name, value, false)
        FROM pg_settings JOIN (VALUES
            ('statement_timeout', '0'), ('transaction_timeout', '0'), ('lock_timeout', '0'),
            ('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
            ('default_transaction_isolation', 'read committed'), ('client_min_messages', 'warning'),
            ('synchronous_commit', 'on')) AS wanted (name, value) USING (name)
        WHERE name <> 'synchronous_commit' OR setting = 'off'
        """
}
