extension Migration {
    /// The origins of pages that may send to a project, in lower case; NULL allows any.
    static let allowedOrigins = Migration(
        version: 5, name: "allowed origins",
        sql: """
            ALTER TABLE public.projects ADD COLUMN allowed_origins text[]
                CHECK (cardinality(allowed_origins) BETWEEN 1 AND 100
                    AND array_position(allowed_origins, NULL) IS NULL
                    AND array_to_string(allowed_origins, '') ~ '^[!-@\\[-~]*$');
            """)
}
