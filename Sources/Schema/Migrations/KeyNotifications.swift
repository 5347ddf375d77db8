extension Migration {
    /// Notifies listeners on `mesher_keys`, at commit, when a project's keys or limits have changed; the payload is
    /// its id.
    static let keyNotifications = Migration(
        version: 3, name: "key notifications",
        sql: """
            CREATE FUNCTION public.mesher_notify_project() RETURNS trigger
            LANGUAGE plpgsql
            SET search_path = pg_catalog, pg_temp
            AS $function$
            BEGIN
                IF TG_OP <> 'INSERT' THEN PERFORM pg_notify('mesher_keys', OLD.id::text); END IF;
                IF TG_OP <> 'DELETE' THEN PERFORM pg_notify('mesher_keys', NEW.id::text); END IF;
                RETURN NULL;
            END
            $function$;
            CREATE FUNCTION public.mesher_notify_key() RETURNS trigger
            LANGUAGE plpgsql
            SET search_path = pg_catalog, pg_temp
            AS $function$
            BEGIN
                IF TG_OP <> 'INSERT' THEN PERFORM pg_notify('mesher_keys', OLD.project_id::text); END IF;
                IF TG_OP <> 'DELETE' THEN PERFORM pg_notify('mesher_keys', NEW.project_id::text); END IF;
                RETURN NULL;
            END
            $function$;
            REVOKE ALL ON FUNCTION public.mesher_notify_project(), public.mesher_notify_key() FROM PUBLIC;
            CREATE TRIGGER mesher_notify AFTER INSERT OR UPDATE OR DELETE ON public.projects
                FOR EACH ROW EXECUTE FUNCTION public.mesher_notify_project();
            CREATE TRIGGER mesher_notify AFTER INSERT OR UPDATE OR DELETE ON public.api_keys
                FOR EACH ROW EXECUTE FUNCTION public.mesher_notify_key();
            """)
}
