package import PostgreSQL

/// Owners and privileges of Mesher's tables and functions. A restore brings back the tables, and often neither of
/// these.
package enum Rights {
    /// Grants storage's role what it needs and, run by a superuser, gives the tables to the owner of the database. A
    /// second run changes nothing.
    ///
    /// - Throws: `SchemaError`, which says what to run if the connection's role may not do this.
    package static func restore(on connection: borrowing Connection) throws(SchemaError) {
        let step = "restoring owner and grants"
        do throws(SchemaError) {
            try connection.execute("BEGIN; SET LOCAL lock_timeout = '5s'; \(owner)", during: step)
            try connection.execute(
                Migration.runtimeRole.sql + [grantClaims, grantKeyUses, revocation].joined(separator: ";"), during: step
            )
            try connection.execute("COMMIT", during: step)
        } catch {
            // If this fails too, the first error says more.
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    /// What `restore` looks at: `owned` says whether the connection's role has an owner's rights on all of it.
    package static let isOwner = """
        NOT EXISTS (
            SELECT FROM pg_catalog.pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND \(isOurs)
                AND NOT pg_has_role(c.relowner, 'USAGE'))
        """

    /// What storage needs to recognise an id near midnight.
    static let grantClaims = "GRANT INSERT, SELECT ON public.event_claims TO mesher_runtime"

    /// What storage needs to note which keys were used.
    static let grantKeyUses =
        "GRANT EXECUTE ON FUNCTION public.mesher_note_key_uses(text[], integer[]) TO mesher_runtime"

    private static let isOurs = """
        (c.relname IN ('events', 'organizations', 'projects', 'api_keys', 'event_claims', 'key_uses',
            'project_deletions', 'schema_migrations')
            OR c.relname ~ '^events_[0-9]{8}$')
        """

    private static let owner = """
        DO $do$
        DECLARE
            owner name := (SELECT pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = current_database());
            command text;
        BEGIN
            IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
                FOR command IN
                    SELECT format('ALTER TABLE public.%I OWNER TO %I', c.relname, owner) FROM pg_catalog.pg_class c
                    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND \(isOurs)
                        AND pg_get_userbyid(c.relowner) <> owner
                    UNION ALL
                    SELECT format('ALTER FUNCTION %s OWNER TO %I', p.oid::regprocedure, owner) FROM pg_catalog.pg_proc p
                    WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'mesher\\_%'
                        AND pg_get_userbyid(p.proowner) <> owner
                LOOP
                    EXECUTE command;
                END LOOP;
            ELSIF NOT \(isOwner) THEN
                RAISE EXCEPTION 'the tables do not belong to %: run mesher db migrate once with a MESHER_DATABASE_URL that '
                    'names a superuser, which gives them to %, who owns the database', current_user, owner
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
        END
        $do$;
        """

    private static let revocation = """
        REVOKE ALL ON FUNCTION public.mesher_make_partitions(date, date), public.mesher_notify_project(),
            public.mesher_notify_key(), public.mesher_note_key_uses(text[], integer[]) FROM PUBLIC
        """
}

/// The ids that projects get.
package enum ProjectIDs {
    /// More than anybody creates.
    package static let limit: Int64 = 1_000_000_000_000_000

    /// Moves the sequence of project ids beyond every id that was ever used. After a restore from an older backup
    /// there may be events, in the table or in a spool, of a project that is lost; no new project must get them, nor the id of
    /// one that was deleted.
    ///
    /// - Parameter used: the highest id that is known from elsewhere.
    ///
    /// An id beyond `limit` counts as damage, and is ignored: it would leave no ids for other projects.
    package static func advance(beyond used: Int64 = 0, on connection: borrowing Connection) throws(DatabaseError) {
        _ = try connection.query(
            """
            SELECT setval(pg_get_serial_sequence('public.projects', 'id'), highest)
            FROM (SELECT GREATEST(
                (SELECT max(project_id) FROM public.events WHERE project_id <= \(limit)),
                (SELECT max(id) FROM public.projects), (SELECT max(project_id) FROM public.project_deletions),
                least($1::bigint, \(limit))) AS highest)
            AS ids
            WHERE highest > 0 AND (
                highest > (SELECT last_value FROM public.projects_id_seq)
                OR NOT (SELECT is_called FROM public.projects_id_seq))
            """, [String(used)])
    }
}
