extension Migration {
    /// What is removed from a project's events before they are stored: words and names of fields, separated by spaces; NULL
    /// removes nothing.
    static let scrubRules = Migration(
        version: 9, name: "scrub rules",
        sql: """
            ALTER TABLE public.projects ADD COLUMN scrub text
                CHECK (scrub ~ '^[a-z0-9_.-]+( [a-z0-9_.-]+)*$' AND length(scrub) <= 8000);
            """)
}
