"""What is done to the cluster while events are sent, and what must have come of it."""

import json
import os
import subprocess
import threading
import time

from nodes import HOSTS, address, until

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients.py")
# The longest that all clients together may be without an acknowledgement, in seconds.
LONGEST_GAP = 5


class Result:
    """A row of the table; `faults` says what was not as it must be."""

    def __init__(self, name):
        self.name, self.faults = name, []
        self.acknowledged = self.rows = 0
        self.gap = self.p99 = 0.0
        self.note = ""

    def must(self, holds, what):
        if not holds:
            self.faults.append(what)


class Clients:
    """Runs in the background, inside the client's network."""

    def __init__(self, cluster, kind, **arguments):
        self.process = subprocess.Popen(
            cluster["client"].enter() + ["python3", CLIENTS, kind, json.dumps(arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.outcome = None
        # The answer may be longer than a pipe holds.
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        self.outcome = self.process.communicate()

    def result(self):
        self.reader.join()
        output, errors = self.outcome
        if self.process.returncode != 0:
            raise RuntimeError(errors)
        return json.loads(output)


class Case:
    def __init__(self, cluster):
        self.cluster = cluster

    def under_load(self, name, harm, seconds=20, rate=200, limit_gap=LONGEST_GAP):
        """Sends events through the front while something happens, and compares."""
        result, cluster = Result(name), self.cluster
        project = cluster.project(f"{name}-{time.monotonic_ns()}")
        clients = Clients(
            cluster, "load", targets=[address("front")], key=project["key"], connections=12, rate=rate, seconds=seconds)
        time.sleep(3)
        try:
            harm(result, project)
        finally:
            sent = clients.result()
        self.settle(result)
        self.compare(result, project, sent["acknowledged"], sent)
        result.must(sent["gap"] <= limit_gap, f"no acknowledgement for {sent['gap']:.1f} s")
        result.must(not sent["unacknowledged"], f"{len(sent['unacknowledged'])} events were given up: {sent['codes']}")
        self.voices(result)
        others = {code: count for code, count in sent["codes"].items() if code != "202"}
        result.note = "; ".join(filter(None, [result.note, f"retried after {others}" if others else ""]))
        return result

    def settle(self, result):
        """Waits until nothing waits on a disk and all is well, in all voices."""
        cluster = self.cluster
        try:
            until("the spools are empty", lambda: all(map(cluster.is_delivered, HOSTS)), 90)
            until("all are ready, and do without nothing", lambda: all(
                cluster.readyz(host) == {"ready": True, "degraded": []} for host in HOSTS), 60)
        except RuntimeError as error:
            result.must(False, f"{error}: spool {cluster.spooled()}, {[cluster.readyz(host) for host in HOSTS]}")

    def compare(self, result, project, acknowledged, sent):
        rows = self.cluster.psql(
            f"SELECT replace(event_id::text, '-', ''), count(*) FROM events WHERE project_id = {project['id']} GROUP BY 1")
        stored = dict(line.split("|") for line in rows.split())
        result.acknowledged, result.rows = len(set(acknowledged)), sum(int(count) for count in stored.values())
        result.gap, result.p99 = sent["gap"], sent["p99"]
        lost = set(acknowledged) - set(stored)
        result.must(not lost, f"LOST {len(lost)}")
        twice = [one for one, count in stored.items() if count != "1"]
        result.must(not twice, f"TWICE {len(twice)}")
        more = set(stored) - set(acknowledged)
        result.must(len(more) <= len(sent.get("unacknowledged", [])), f"{len(more)} rows that nobody sent")

    def soon(self, holds):
        try:
            return until("it says so", holds, 15)
        except RuntimeError:
            return False

    def status_is_calm(self, host):
        table = json.loads(self.cluster.mesher("status", "--hosts", host, "--json", check=False) or '{"hosts":[{}]}')
        return table["hosts"][0].get("ready") is True and table["hosts"][0].get("degraded") == []

    def log_is_calm(self, host):
        """Whether its last word about Redis is that it is back, which is said after five seconds without a failure."""
        with open(f"{self.cluster[host].folder}/mesher.log") as log:
            lines = [line for line in log if "Redis is " in line]
        return not lines or "Redis is back" in lines[-1]

    def voices(self, result):
        """Whether check, readyz, status, metrics and log say the same of a cluster that is well."""
        cluster = self.cluster
        for host in HOSTS:
            # Status and metrics are written once a second.
            said = {voice: self.soon(lambda: says(host)) for voice, says in {
                "readyz": lambda host: cluster.readyz(host) == {"ready": True, "degraded": []},
                "metrics": lambda host: cluster.metric(host, "mesher_ready") == 1,
                "status": self.status_is_calm,
            }.items()}
            check = cluster.mesher("check", "--json", node=host, check=False)
            faults = [one for one in json.loads(check or "[]") if not one["ok"]]
            said["check"] = bool(check) and not faults
            said["log"] = self.soon(lambda: self.log_is_calm(host))
            for voice, is_well in said.items():
                result.must(is_well, f"{host}: {voice} does not say that all is well {faults if voice == 'check' else ''}")
