"""A private Mesher that is measured, with its servers."""
import os
import pathlib
import re
import subprocess
import time

import load
from against import ROOT

PORT = int(os.environ.get("BENCH_PORT", "18080"))


class Stack:
    """All of it is in a folder that the caller makes and removes."""

    def __init__(self, folder, seconds, root=ROOT, port=PORT, preload=None):
        """A library `preload` is in PostgreSQL, nginx and Redis; Mesher's programs start with an environment of their own."""
        os.makedirs(folder, exist_ok=True)
        self.folder, self.seconds, self.root, self.port = folder, seconds, root, port
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("MESHER_")}
        self.environment.update(MESHER_PORT=str(port), MESHER_STACK_DIR=f"{folder}/stack")
        if preload:
            self.environment["LD_PRELOAD"] = str(preload)

    def __enter__(self):
        self.run("up", "MESHER_RATE_LIMIT_EVENTS=1000000000", "MESHER_STREAM_PROJECT_CONNECTIONS=10000",
                 "MESHER_STREAM_RATE=100000")
        text = pathlib.Path(self.folder, "stack/env").read_text()
        self.env = dict(re.findall(r"export (\w+)='(.*)'", text))
        self.url = self.env["MESHER_URL"] + "/api/v1/events"
        body = load.text(load.EVENT)
        self.body, self.size = body.encode(), len(body)
        self.single = self.script("single", body)
        self.bulk = self.script("bulk", "[" + ",".join([body] * 100) + "]")
        large = load.text({**load.EVENT, "extra": {"text": "x" * ((1 << 20) - self.size - 64)}})
        self.large = self.script("large", large)
        self.largest = self.script("largest", "[" + ",".join([large] * 4) + "]")
        load.wrk(self.url, self.single, seconds=2)
        return self

    def __exit__(self, *_):
        self.run("down")

    def run(self, *arguments):
        subprocess.run([self.root / "development/stack", *arguments], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)

    def script(self, name, body):
        return load.script(f"{self.folder}/{name}.lua", body, self.env["MESHER_KEY"])

    def mesher(self, *arguments):
        subprocess.run([f"{self.env['MESHER_BIN']}/mesher", *arguments], check=True, env=self.env,
                       stdout=subprocess.DEVNULL)

    def psql(self, sql):
        command = ["psql", "-qtAX", "-vON_ERROR_STOP=1", self.env["MESHER_DATABASE_URL"]]
        return subprocess.run(command, input=sql, check=True, capture_output=True, text=True).stdout.strip()

    def administer(self, sql):
        """As the superuser of its PostgreSQL."""
        command = ["psql", "-qtAX", "-vON_ERROR_STOP=1", self.env["MESHER_DATABASE_URL"].replace("mesher_owner@", "postgres@")]
        return subprocess.run(command, input=sql, check=True, capture_output=True, text=True).stdout.strip()

    def rows(self, table="events"):
        return int(self.psql(f"SELECT count(*) FROM {table}"))

    def empty(self):
        """Removes all events: the next measurement begins with an empty day."""
        for table in ("events", "peer_events"):
            self.psql(f"DO $$ BEGIN IF to_regclass('{table}') IS NOT NULL THEN TRUNCATE {table}; END IF; END $$")

    def single_posts(self, script=None, connections=load.CONNECTIONS):
        """Requests a second and p99; what was answered must be stored."""
        before = self.rows()
        rate, p99 = load.wrk(self.url, script or self.single, connections, self.seconds)
        stored = self.rows() - before
        if stored < rate * self.seconds * 0.98:
            raise load.Failure(f"{stored} rows of {rate * self.seconds:.0f} answers")
        return rate, p99
