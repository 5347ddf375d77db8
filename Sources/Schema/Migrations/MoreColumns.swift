extension Migration {
    /// The columns `dist`, `exception_type` and `user_id` of events. The table is not rewritten: existing rows have
    /// NULL.
    static let moreColumns = Migration(
        version: 6, name: "dist, exception_type, user_id",
        sql: """
            ALTER TABLE public.events ADD COLUMN dist text, ADD COLUMN exception_type text, ADD COLUMN user_id text;
            """)
}
