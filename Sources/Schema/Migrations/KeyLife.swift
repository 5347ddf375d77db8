extension Migration {
    /// What becomes of keys and projects: when a key was last used and when it ends, and which projects were deleted.
    ///
    /// A use is no column of `api_keys`, whose every change is told to all hosts. `mesher_note_key_uses` writes a key at most
    /// once a day, in the order of the keys, so that two hosts cannot block each other; it spares storage's role all other
    /// rights. Days are counted from 1970-01-01. A host whose clock is ahead notes no later day than tomorrow.
    ///
    /// `expires_at` is when a key is refused. `rotated_at` is when another took its place, and `unused_days` after how many
    /// days without use maintenance revokes it then. `project_deletions` has the deleted projects for good: maintenance
    /// removes events of these, whenever and wherever they appear, and no project gets their ids.
    static let keyLife = Migration(
        version: 8, name: "life of keys and projects",
        sql: """
            ALTER TABLE public.api_keys ADD COLUMN expires_at timestamptz CHECK (isfinite(expires_at)),
                ADD COLUMN rotated_at timestamptz,
                ADD COLUMN unused_days integer CHECK (unused_days BETWEEN 1 AND 3650);
            CREATE TABLE public.key_uses (
                key text PRIMARY KEY REFERENCES public.api_keys ON DELETE CASCADE,
                used_on date NOT NULL
            );
            CREATE TABLE public.project_deletions (
                project_id bigint PRIMARY KEY,
                slug text NOT NULL,
                deleted_at timestamptz NOT NULL DEFAULT now()
            );
            CREATE FUNCTION public.mesher_note_key_uses(keys text[], days integer[]) RETURNS void
            LANGUAGE sql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp
            SET lock_timeout = '1s'
            AS $function$
                INSERT INTO public.key_uses AS uses (key, used_on)
                SELECT k.key, max(noted.day)
                FROM (SELECT key, least(date '1970-01-01' + day, (now() AT TIME ZONE 'UTC')::date + 1) AS day
                    FROM unnest(keys, days) AS used (key, day)) AS noted
                JOIN public.api_keys k ON k.key = noted.key
                WHERE NOT EXISTS (
                    SELECT FROM public.key_uses known WHERE known.key = noted.key AND known.used_on >= noted.day)
                GROUP BY k.key ORDER BY k.key
                ON CONFLICT (key) DO UPDATE SET used_on = excluded.used_on WHERE uses.used_on < excluded.used_on
            $function$;
            REVOKE ALL ON FUNCTION public.mesher_note_key_uses(text[], integer[]) FROM PUBLIC;
            \(Rights.grantKeyUses);
            """)
}
