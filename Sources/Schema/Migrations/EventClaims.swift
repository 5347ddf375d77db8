extension Migration {
    /// Ids of events received near a midnight. By them a host whose clock says another day recognises the events.
    /// Retention deletes old ones.
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
