#!/usr/bin/env python3
"""Storage with very many keys: how long its loop stands still, and how much memory it takes.

Against a stack of your own, into whose database it puts PROJECTS with KEYS:

    . .run/env; python3 Benchmarks/keys.py [PROJECTS [KEYS]]

An edge asks storage every 2 ms whether it accepts events, and reads all that it is told. For each thing that happens to
the keys a line says how long that answer took at most, how long it took until storage was as it is to be, and how many keys the
edge was told of meanwhile.
"""
import glob
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

PROJECTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
KEYS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
RUN = os.environ["MESHER_RUN_DIR"]


URL = os.environ["MESHER_DATABASE_URL"]


def sql(text, url=URL):
    subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", url, "-c", text], check=True, stdout=subprocess.DEVNULL)


def processes(name):
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                line = file.read().split(b"\0")
            with open(path.replace("cmdline", "environ"), "rb") as file:
                environment = file.read()
        except OSError:
            continue
        if os.path.basename(line[0]).startswith(name.encode()) and RUN.encode() in environment:
            found.append(int(path.split("/")[2]))
    return found


def resident(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(field):
                return int(line.split()[1]) << 10
    return 0


class Edge:
    """A worker's end of storage's socket, as far as it asks for readiness and reads the news of keys."""

    def __init__(self):
        self.worst, self.told, self.losses = 0, set(), -1
        self.connect()

    def connect(self):
        self.losses += 1
        self.was_without = True
        deadline = time.monotonic() + 60
        while True:
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(RUN + "/storage.sock")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
        self.socket.sendall(struct.pack(">IBH", 3, 1, 2))
        self.input = bytearray()
        self.asked = None
        self.ready = None

    def turn(self, seconds=0.002):
        """Asks if nothing is asked, and takes what comes."""
        now = time.monotonic()
        if self.asked is None:
            try:
                self.socket.sendall(struct.pack(">IBQ", 9, 6, 7))
            except OSError:
                return self.connect()
            self.asked = now
        if not select.select([self.socket], [], [], seconds)[0]:
            return
        try:
            read = self.socket.recv(1 << 20)
        except OSError:
            read = b""
        if not read:
            return self.connect()
        self.input += read
        position = 0
        while len(self.input) - position >= 5:
            length, kind = struct.unpack_from(">IB", self.input, position)
            if len(self.input) - position < 4 + length:
                break
            content = bytes(self.input[position + 5:position + 4 + length])
            position += 4 + length
            if kind == 5:
                self.told.add(content[:16])
            if kind == 7 and content[:8] == struct.pack(">Q", 7):
                self.ready = (content[8] == 1, content[9])
                self.was_without = self.was_without or self.ready != (True, 0)
                self.worst = max(self.worst, time.monotonic() - self.asked)
                self.asked = None
        del self.input[:position]
        if self.asked is None:
            time.sleep(seconds)

    def watch(self, name, act, done, settle=3, patience=180):
        """Lets something happen, and prints what came of it once `done` says so."""
        self.worst, self.told, self.losses, self.was_without = 0, set(), 0, False
        workers = set(processes("mesher-worker"))
        act = subprocess.Popen(act) if isinstance(act, list) else act()
        begun = time.monotonic()
        while not (done(self) and (act is None or act.poll() is not None)):
            self.turn()
            if time.monotonic() - begun > patience:
                sys.exit(f"{name}: not done after {patience} s")
        took = time.monotonic() - begun
        while time.monotonic() - begun < took + settle:
            self.turn()
        storage = processes("mesher-storage")[0]
        stays = "stay" if set(processes("mesher-worker")) == workers else "WERE REPLACED"
        print(f"{name:44} {self.worst * 1000:8.1f} ms {took:7.2f} s {len(self.told):9,} told"
              f" {self.losses:3} lost {resident(storage) / 1e6:7.1f} MB, workers {stays}", flush=True)


def psql(text):
    return ["psql", "-qAt", URL, "-c", text]


def key(number):
    import hashlib
    return hashlib.md5(b"k%d" % number).digest()


def cut():
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mesher-storage keys'",
        URL.replace("mesher_owner@", "postgres@"))


def main():
    edge = Edge()
    pid = processes("mesher-storage")[0]
    before = resident(pid)
    print(f"{'':44} {'slowest':>11} {'until done':>9}")
    edge.watch("nothing", lambda: None, lambda edge: True, settle=5)
    sql(f"""
        ALTER TABLE projects DISABLE TRIGGER mesher_notify;
        ALTER TABLE api_keys DISABLE TRIGGER mesher_notify;
        INSERT INTO projects (id, organization_id, slug) OVERRIDING SYSTEM VALUE
            SELECT 1000 + id, (SELECT min(id) FROM organizations), 'many-' || id FROM generate_series(1, {PROJECTS}) AS id;
        INSERT INTO api_keys (key, project_id)
            SELECT md5('k' || number), 1001 + number % {PROJECTS} FROM generate_series(1, {KEYS}) AS number;
        ALTER TABLE projects ENABLE TRIGGER mesher_notify;
        ALTER TABLE api_keys ENABLE TRIGGER mesher_notify;
        """)
    sql("ANALYZE projects")
    sql("ANALYZE api_keys")
    edge.watch(f"reconnects, {KEYS:,} keys are new", cut, lambda edge: len(edge.told) >= KEYS)
    after = resident(pid)
    print(f"{'':44} {(after - before) / KEYS:8.1f} bytes a key")

    def is_current(edge):
        return edge.was_without and edge.ready == (True, 0)

    edge.watch("reconnects, none is new", cut, is_current, settle=8)
    edge.watch("one key is added", psql(f"INSERT INTO api_keys (key, project_id) VALUES (md5('k{KEYS + 1}'), 1001)"),
               lambda edge: key(KEYS + 1) in edge.told, settle=8)
    edge.watch("1,000 projects get another limit",
               psql(f"UPDATE projects SET rate_limit_events = 77, rate_limit_seconds = 7 WHERE id BETWEEN 2001 AND 3000"),
               lambda edge: len(edge.told) >= 1000 * KEYS // PROJECTS, settle=8)
    edge.watch("storage is killed and starts", lambda: os.kill(pid, signal.SIGKILL),
               is_current, settle=8)
    pid = processes("mesher-storage")[0]
    print(f"{'after a start':44} {(resident(pid) - before) / KEYS:8.1f} bytes a key, at most {(resident(pid, 'VmHWM') - before) / KEYS:.1f}")
    sql("DELETE FROM api_keys WHERE project_id > 1000")
    sql("DELETE FROM projects WHERE id > 1000")


main()
