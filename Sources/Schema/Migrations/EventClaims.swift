extension Migration {
    /// Ids of events that were received near a midnight, by which a host whose clock says another day knows them. Those of
    /// former days go with retention.
    static let eventClaims = Migration(
        version: 7, name: "event claims",
        sql: """
            CREATE TABLE public.event_claims (
                project_id bigint NOT NULL,
                event_id uuid NOT NULL,
                midnight date NOT NULL,
                PRIMARY KEY (project_id, event_id, midnight)
            );
            \(Rights.grantClaims);
            """)
}
