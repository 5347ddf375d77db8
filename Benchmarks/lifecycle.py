#!/usr/bin/env python3
"""Exporting and deleting very many events beside full load: what a client notices of it, and how much memory it takes.

Against a stack of your own, into whose database it puts two projects, one with LIFECYCLE_EVENTS (10,000,000) over a week
and one with a tenth of them; a tenth of each are one user's:

    . .run/env; python3 Benchmarks/lifecycle.py [ACT ...]

Acts, all of them in this order unless some are named:

fill                    makes what is missing of the projects
export, user, project   rounds of three phases of single POSTs over 64 connections: alone, beside the command, alone. The command
                        is interrupted after each, in turns by SIGINT and SIGKILL, and goes on in the next
export-end, ...         runs the command to its end without a load, and compares what is left, or written, with what must be;
                        the same with the smaller project, interrupted twice. LIFECYCLE_LIMIT ends it after so many seconds, and
                        the next run goes on

Environment: LIFECYCLE_ROUNDS (3), LIFECYCLE_SECONDS of a phase (10), LIFECYCLE_FOLDER for the export (/tmp), LIFECYCLE_PROJECTS
for the -end acts (life-small,life-large). The database takes 15 GB.

With PostgreSQL's own settings the load makes a checkpoint every 20 s, and p99 is that of the disk: give it max_wal_size = 6GB first.
"""
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from importlib.machinery import SourceFileLoader

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))
run = SourceFileLoader("run", os.path.join(os.path.dirname(__file__), "run")).load_module()

EVENTS = int(os.environ.get("LIFECYCLE_EVENTS", "10000000"))
ROUNDS = int(os.environ.get("LIFECYCLE_ROUNDS", "3"))
SECONDS = int(os.environ.get("LIFECYCLE_SECONDS", "10"))
LIMIT = int(os.environ.get("LIFECYCLE_LIMIT", "0"))
FOLDER = os.environ.get("LIFECYCLE_FOLDER", "/tmp")
URL, MESHER = os.environ["MESHER_DATABASE_URL"], os.environ["MESHER_BIN"] + "/mesher"
os.environ["PGTZ"] = "UTC"
PROJECTS = {"life-large": EVENTS, "life-small": EVENTS // 10}
DAYS = 7


def sql(text):
    command = ["psql", "-qAtX", "-vON_ERROR_STOP=1", URL, "-c", text]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def number(slug):
    """The project's id, also of one that is deleted; nothing if there was none."""
    return sql(f"""SELECT id FROM projects WHERE slug = '{slug}'
                   UNION ALL SELECT project_id FROM project_deletions WHERE slug = '{slug}' ORDER BY 1 DESC LIMIT 1""")


def shares(events):
    """How many events a day has, today's first. Each tenth from the first is the user's."""
    return [events // DAYS + (events % DAYS if age == 0 else 0) for age in range(DAYS)]


def fill():
    sql(f"SELECT mesher_make_partitions(CURRENT_DATE - {DAYS - 1}, CURRENT_DATE + 7)")
    template = json.dumps({"event_id": "%ID%", **run.EVENT, "user": {"id": "%USER%"}}, separators=(",", ":"))
    payload = template.replace("'", "''")
    begun = time.monotonic()
    for slug, events in PROJECTS.items():
        if not number(slug):
            subprocess.run([MESHER, "project", "create", slug], check=True, stdout=subprocess.DEVNULL)
        for age in range(DAYS):
            if LIMIT and time.monotonic() - begun > LIMIT:
                return print("not all: run it again")
            day, share = f"(CURRENT_DATE - {age})", shares(events)[age]
            if sql(f"SELECT EXISTS (SELECT FROM events WHERE project_id = {number(slug)} AND received_on = {day})") == "t":
                continue
            # Time of day: evenly, but not later than now.
            sql(f"""
                INSERT INTO events (project_id, event_id, received_at, "timestamp", received_on, level, message, platform,
                    environment, release, server_name, logger, transaction, tags, user_id, payload)
                SELECT {number(slug)}, id, at, at, {day}, 'error', 'ValueError: amount must be positive', 'python',
                    'production', 'shop@4.11.2', 'web-3.example.net', 'app.checkout', 'POST /checkout',
                    '{json.dumps(run.EVENT["tags"])}', who,
                    replace(replace('{payload}', '%ID%', replace(id::text, '-', '')), '%USER%', who)::json
                FROM (SELECT gen_random_uuid() AS id, CASE n % 10 WHEN 0 THEN 'ann' ELSE 'user-' || n % 1000 END AS who,
                        {day}::timestamptz + n * (length / {share}) AS at
                    FROM generate_series(0, {share} - 1) AS n,
                        (SELECT least(interval '1 day', now() - {day}::timestamptz) AS length) AS l) AS made""")
            print(f"{slug}: {share:,} events of {age} days ago", flush=True)
    sql("VACUUM ANALYZE events")
    size = sql("SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits WHERE inhparent = 'events'::regclass")
    print(f"all days together: {size}")


class Command:
    """A command that may be interrupted, and goes on when it is run again."""

    def __init__(self, act, slug):
        self.act, self.slug, self.id = act, slug, number(slug)
        self.file = f"{FOLDER}/{slug}.ndjson.gz"

    def arguments(self):
        if self.act == "export":
            resume = ["--resume"] if os.path.exists(self.file) else []
            return ["events", "export", self.slug, "--output", self.file, *resume]
        if self.act == "user":
            return ["events", "delete", self.slug, "--user", "ann", "--yes"]
        return ["project", "delete", self.slug, "--yes"]

    def start(self):
        with open(f"{FOLDER}/lifecycle.log", "a") as log:
            return subprocess.Popen([MESHER, *self.arguments()], stdout=log, stderr=log)

    def done(self):
        """How many events it has exported or deleted, as far as the database or the file says."""
        if self.act == "export":
            return f"{os.path.getsize(self.file) >> 20} MiB written"
        return f"{self.count():,} events left, {self.count(USER):,} of the user"

    def count(self, condition="true"):
        return int(sql(f"SELECT count(*) FROM events WHERE project_id = {self.id} AND {condition}"))

    def verify(self):
        """Whether nothing is missing or there twice, once it has ended."""
        if self.act == "export":
            # In the order of the rows, by the id with which each payload begins.
            script = ("cmp <(zcat \"$1\" | cut -c 14-45) <(psql -qAtX \"$2\" -c \"COPY (SELECT replace(event_id::text, '-', '') "
                      "FROM events WHERE project_id = $3 ORDER BY received_at, event_id) TO STDOUT\")")
            return subprocess.run(["bash", "-c", script, "cmp", self.file, URL, self.id]).returncode == 0
        left = 0 if self.act == "project" else sum(share - -(-share // 10) for share in shares(PROJECTS[self.slug]))
        return self.count() == left and self.count(USER) == 0


USER = "user_id = 'ann'"


def load(script):
    """p99 of single POSTs in ms, and how many there were in a second."""
    rate, p99 = run.wrk(os.environ["MESHER_URL"] + "/api/v1/events", script, seconds=SECONDS)
    return p99, rate


def rounds(act):
    """Rounds of a load alone, beside the command, and alone."""
    command = Command(act, "life-large")
    script = f"{FOLDER}/lifecycle.lua"
    body = json.dumps(run.EVENT, separators=(",", ":")).replace("\\", "\\\\").replace("'", "\\'")
    with open(script, "w") as file:
        file.write(f"wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n"
                   f"wrk.headers['X-Sentry-Auth'] = 'Sentry sentry_key={os.environ['MESHER_KEY']}, sentry_version=7'\n")
    ratios, rates = [], []
    for number in range(ROUNDS):
        before = load(script)
        process = command.start()
        # It has looked things up, and is at its steps.
        time.sleep(2)
        during = load(script)
        if process.poll() is not None:
            sys.exit(f"{act}: ended by itself with {process.returncode}, see {FOLDER}/lifecycle.log")
        memory = peak(process.pid)
        process.send_signal(signal.SIGKILL if number % 2 else signal.SIGINT)
        process.wait()
        after = load(script)
        # Against its neighbours in time: the disk has its moods.
        ratios.append(2 * during[0] / (before[0] + after[0]))
        rates.append(2 * during[1] / (before[1] + after[1]))
        print(f"{act:8} p99 {before[0]:6.1f} {during[0]:6.1f} {after[0]:6.1f} ms  x {ratios[-1]:.2f}   "
              f"POSTs/s {before[1]:7.0f} {during[1]:7.0f} {after[1]:7.0f}  x {rates[-1]:.2f}   {memory / 1e6:.1f} MB", flush=True)
    print(f"{act:8} p99 x {statistics.median(ratios):.2f}, rate x {statistics.median(rates):.2f} (medians of {ROUNDS})", flush=True)


def to_its_end(act):
    for slug in os.environ.get("LIFECYCLE_PROJECTS", "life-small,life-large").split(","):
        command, begun, memory = Command(act, slug), time.monotonic(), 0
        if act == "project" and command.count() == 0:
            continue
        interruptions = [(5, signal.SIGINT), (5, signal.SIGKILL)] if slug == "life-small" else []
        while True:
            seconds, sent = interruptions.pop(0) if interruptions else (LIMIT or 86_400, None)
            process, since = command.start(), time.monotonic()
            while process.poll() is None and time.monotonic() - since < seconds:
                time.sleep(0.1)
                memory = max(memory, peak(process.pid))
            if process.poll() is not None:
                break
            process.send_signal(sent or signal.SIGINT)
            process.wait()
            print(f"{act:8} {slug}: {(sent or signal.SIGINT).name}, {memory / 1e6:.1f} MB at most, {command.done()}", flush=True)
            if sent is None:
                return
        verdict = "as it must be" if process.returncode == 0 and command.verify() else f"WRONG ({process.returncode})"
        print(f"{act:8} {slug}: {verdict}, {memory / 1e6:.1f} MB at most, {time.monotonic() - begun:.0f} s, {command.done()}",
              flush=True)


def peak(pid):
    """The most memory that a process has had, in bytes; nothing once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


ACTS = {"fill": fill}
for act in ("export", "user", "project"):
    ACTS[act] = lambda act=act: rounds(act)
    ACTS[act + "-end"] = lambda act=act: to_its_end(act)

if __name__ == "__main__":
    for act in sys.argv[1:] or ACTS:
        ACTS[act]()
