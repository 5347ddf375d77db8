extension Migration {
    /// The role `mesher_runtime`, of which storage's login role is a member. It may read keys and limits, insert
    /// events and make partitions. Of an event it may read only the columns by which duplicates on the neighbouring
    /// days are recognised, never what a client sent.
    ///
    /// Roles belong to the cluster: another database may have created this one, even at this moment.
    static let runtimeRole = Migration(
        version: 4, name: "runtime role",
        sql: """
            DO $do$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mesher_runtime') THEN
                    CREATE ROLE mesher_runtime NOLOGIN;
                END IF;
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'the role mesher_runtime does not exist, and % may not create it: let a superuser '
                        'run CREATE ROLE mesher_runtime NOLOGIN, then migrate again', current_user
                        USING ERRCODE = 'insufficient_privilege';
            END
            $do$;
            GRANT USAGE ON SCHEMA public TO mesher_runtime;
            GRANT SELECT ON public.projects, public.api_keys TO mesher_runtime;
            GRANT INSERT, SELECT (project_id, event_id, received_on) ON public.events TO mesher_runtime;
            GRANT EXECUTE ON FUNCTION public.mesher_make_partitions(date, date) TO mesher_runtime;
            """)
}
