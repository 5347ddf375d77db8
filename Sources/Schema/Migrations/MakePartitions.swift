extension Migration {
    /// `mesher_make_partitions(first date, last date)`: makes the daily partitions `events_YYYYMMDD` that are missing
    /// from the first to the last day, 400 at most, and returns how many it made.
    ///
    /// It runs with the rights of the schema's owner, so that storage may create no tables itself. CREATE TABLE and
    /// ATTACH block neither inserts nor selects; CREATE TABLE … PARTITION OF would. The check constraint proves the
    /// bounds to ATTACH, which then need not scan a partition that has rows: one that retention has detached and not
    /// yet dropped, and that is needed again. It is dropped afterwards, since the partition's own constraint says the
    /// same.
    static let makePartitions = Migration(
        version: 2, name: "make partitions",
        sql: """
            CREATE FUNCTION public.mesher_make_partitions(first date, last date) RETURNS integer
            LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp
            SET lock_timeout = '2s'
            SET datestyle = 'ISO'
            AS $function$
            DECLARE
                day date := first;
                partition text;
                standing record;
                made integer := 0;
            BEGIN
                IF (first >= '1970-01-01' AND last <= '9999-12-30' AND last - first BETWEEN 0 AND 399) IS NOT TRUE THEN
                    RAISE EXCEPTION 'mesher_make_partitions: from % to % is not a range of 1 to 400 days', first, last
                        USING ERRCODE = 'invalid_parameter_value';
                END IF;
                -- Two at once would make the same table.
                PERFORM pg_advisory_xact_lock(\(AdvisoryLock.space), \(AdvisoryLock.partitions));
                WHILE day <= last LOOP
                    partition := 'events_' || to_char(day::timestamp, 'YYYYMMDD');
                    SELECT i.inhrelid IS NOT NULL AS attached, i.inhdetachpending AS pending INTO standing
                        FROM pg_class c
                        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'public.events'::regclass
                        WHERE c.relnamespace = 'public'::regnamespace AND c.relname = partition;
                    IF NOT FOUND THEN
                        EXECUTE format(
                            'CREATE TABLE public.%I (LIKE public.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
                            'INCLUDING STORAGE INCLUDING COMPRESSION)', partition);
                    ELSIF standing.pending THEN
                        EXECUTE format('ALTER TABLE public.events DETACH PARTITION public.%I FINALIZE', partition);
                    END IF;
                    IF NOT FOUND OR standing.pending OR NOT standing.attached THEN
                        EXECUTE format(
                            'ALTER TABLE public.%I ADD CONSTRAINT mesher_bounds '
                            'CHECK (received_on IS NOT NULL AND received_on >= %L::date AND received_on < %L::date)',
                            partition, day, day + 1);
                        EXECUTE format(
                            'ALTER TABLE public.events ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                            partition, day, day + 1);
                        EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT mesher_bounds', partition);
                        made := made + 1;
                    END IF;
                    day := day + 1;
                END LOOP;
                RETURN made;
            END
            $function$;
            REVOKE ALL ON FUNCTION public.mesher_make_partitions(date, date) FROM PUBLIC;
            """)
}
