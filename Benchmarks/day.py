"""A day that has grown: how fast single events of many projects are stored beside millions of rows of the same day."""
import math
import time

import load

PROJECTS = 10_000
# A row of the filling: an event of about 300 bytes with what PostgreSQL adds, and not its payload in full.
FILL = """
    INSERT INTO {table} (project_id, event_id, received_at, "timestamp", received_on, level, message, platform, environment,
        release, payload)
    SELECT {first} + n % {projects}, gen_random_uuid(), at, at, '{day}', 'error', 'ValueError: amount must be positive',
        'python', 'production', 'shop@4.11.2',
        json '{{"message":"ValueError: amount must be positive","level":"error","platform":"python"}}'
    FROM (SELECT n, '{day} 00:00:00Z'::timestamptz + n / 1e6 * interval '1 second' AS at
        FROM generate_series({begin}::bigint, {end}::bigint - 1) AS n) AS numbers
    """


class Day:
    """Today's partition of a stack of its own, which is filled step by step."""

    def __init__(self, stack):
        self.stack, self.count = stack, 0
        self.day, self.first = stack.psql(f"""
            INSERT INTO projects (organization_id, slug)
                SELECT (SELECT min(id) FROM organizations), 'many-' || n FROM generate_series(1, {PROJECTS}) AS n;
            INSERT INTO api_keys (key, project_id)
                SELECT md5('key of ' || id), id FROM projects WHERE slug LIKE 'many-%';
            SELECT now() AT TIME ZONE 'UTC', min(id) FROM projects WHERE slug LIKE 'many-%'""").split("|")
        self.day = self.day[:10]
        self.table = "events_" + self.day.replace("-", "")
        keys = stack.psql("SELECT key FROM api_keys JOIN projects p ON p.id = project_id WHERE slug LIKE 'many-%'").split()
        self.script = load.script_of_many(f"{stack.folder}/many.lua", stack.body.decode(), keys)
        # A new key is known within a second.
        time.sleep(2)

    def fill(self, rows):
        """Up to so many rows. The partition is detached meanwhile and gets its indexes afterwards, since rows one by one
        would take far longer. Pages of the primary key are left as full as those are that random keys have split, ln 2."""
        if rows > self.count:
            names = {"table": f"public.{self.table}", "first": self.first, "projects": PROJECTS, "day": self.day,
                     "begin": self.count, "end": rows}
            self.stack.psql(f"""
                SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2;
                BEGIN;
                ALTER TABLE events DETACH PARTITION {self.table};
                ALTER TABLE {self.table} DROP CONSTRAINT {self.table}_pkey;
                DO $$ DECLARE name regclass; BEGIN
                    FOR name IN SELECT indexrelid FROM pg_index WHERE indrelid = '{self.table}'::regclass LOOP
                        EXECUTE 'DROP INDEX ' || name;
                    END LOOP;
                END $$;
                {FILL.format(**names)};
                DO $$ BEGIN
                    EXECUTE (SELECT 'ALTER TABLE {self.table} ADD CONSTRAINT {self.table}_pkey ' || pg_get_constraintdef(oid)
                        || ' WITH (fillfactor = {round(math.log(2) * 100)})'
                        FROM pg_constraint WHERE conrelid = 'events'::regclass AND contype = 'p');
                END $$;
                ALTER TABLE {self.table} ADD CONSTRAINT bounds
                    CHECK (received_on >= '{self.day}' AND received_on < '{self.day}'::date + 1);
                ALTER TABLE events ATTACH PARTITION {self.table} FOR VALUES FROM ('{self.day}') TO ('{self.day}'::date + 1);
                ALTER TABLE {self.table} DROP CONSTRAINT bounds;
                COMMIT""")
            self.count = rows
        # Autovacuum would do it at a time of its own.
        self.stack.administer(f"VACUUM ANALYZE {self.table}")

    def measure(self, seconds):
        """Of single events, from one checkpoint on: events a second, p99, and bytes of WAL an event."""
        self.stack.administer("CHECKPOINT")
        pages = self.stack.psql(f"SELECT pg_relation_size('{self.table}') / 8192")
        before = self.stack.psql("SELECT pg_current_wal_lsn()")
        rate, p99 = load.wrk(self.stack.url, self.script, seconds=seconds)
        wal = self.stack.psql(f"SELECT pg_current_wal_lsn() - '{before}'")
        # New rows are behind the old ones: none of those has left room.
        stored = int(self.stack.psql(f"SELECT count(*) FROM {self.table} WHERE ctid >= '({max(0, int(pages) - 1)},0)'"))
        if stored < rate * seconds * 0.98:
            raise load.Failure(f"{stored} rows of {rate * seconds:.0f} answers; has midnight passed in UTC?")
        return {"rate": rate, "p99": p99, "wal": int(wal) / stored}


# Room for a row on the disk while the day is filled, with its part of indexes and WAL.
BYTES = 600

# What PostgreSQL is set to, by name.
SETTINGS = {"PostgreSQL's defaults": {}, "wal_compression lz4, max_wal_size 16 GB": {"wal_compression": "lz4", "max_wal_size": "16GB"}}


def configure(stack, settings):
    for line in ["ALTER SYSTEM RESET ALL", *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()),
                 "SELECT pg_reload_conf()"]:
        stack.administer(line)


def curves(stack, rows, seconds):
    """For each of the settings the points from an empty day up to so many rows, each measured for so long. In one piece:
    PostgreSQL makes its checkpoints meanwhile, as it would under this load."""
    day, points = Day(stack), {name: [] for name in SETTINGS}
    # The first requests with each key ask storage for it.
    day.measure(2)
    for share in (0, 0.25, 0.5, 1):
        # Or what fills it would keep as much WAL.
        configure(stack, {})
        begun = time.monotonic()
        day.fill(round(rows * share))
        filled = time.monotonic() - begun
        for name, settings in SETTINGS.items():
            configure(stack, settings)
            point = {"rows": day.count, **day.measure(seconds)}
            points[name].append(point)
            print(f"{point['rows']:>12,} rows in the day  {point['rate']:8.0f} events/s  p99 {point['p99']:6.1f} ms  "
                  f"{point['wal']:6.0f} bytes of WAL an event  {name} (filled in {filled:.0f} s)", flush=True)
    return points
