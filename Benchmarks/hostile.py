"""Senders that want to harm others, and what a neighbour of theirs sees meanwhile.

Each sender is a function that sends to a Mesher until its time is over. They run in processes of their own and at a low
priority: a client's own processor time is not what is measured.

Against a stack of your own, each alone or several at once:

    . .run/env; python3 Benchmarks/hostile.py [SECONDS [NAME[+NAME ...] ...]]
"""
import gzip
import json
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse

# Nothing is left beside the sources.
sys.dont_write_bytecode = True
from load import percentile
from slow_bodies import deflated, slow_brotli, slow_zstandard
from streams import frame

EVENT = b'{"message":"m","level":"info"}'


class Harm(Exception):
    pass


class Target:
    """Where to send, and with which keys."""

    def __init__(self, url, key, project):
        address = urllib.parse.urlsplit(url)
        self.host, self.port, self.key, self.project = address.hostname, address.port, key, project

    def connect(self, timeout=20):
        return socket.create_connection((self.host, self.port), timeout)

    def send(self, path, body, *headers, key=True, timeout=20):
        """The status of one POST on a connection of its own; None when there was no answer."""
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}", *headers]
        if key:
            lines.append(f"Authorization: Bearer {self.key}")
        try:
            with self.connect(timeout) as connection:
                connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                answer = connection.recv(65536)
                while connection.recv(65536):
                    pass
                return int(answer[9:12])
        except (OSError, ValueError):
            return None

    def upgrade(self, path="/api/v1/stream", key=True, *headers):
        """A connection after the answer to its upgrade, and that answer."""
        connection = self.connect()
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers]
        if key:
            lines.append(f"Authorization: Bearer {self.key}")
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        return connection, connection.recv(4096)


SENDERS = {}


def sender(clients):
    """Marks a function as a sender that so many clients run at once."""
    def mark(function):
        SENDERS[function.__name__] = (function, clients)
        return function
    return mark


def again(until, function, *arguments, **options):
    while time.monotonic() < until:
        function(*arguments, **options)


@sender(4)
def small_brotli_without_key(target, until):
    body = slow_brotli(64_000)
    again(until, target.send, f"/api/{target.project}/envelope/", body, "Content-Encoding: br", key=False)


@sender(4)
def small_brotli(target, until):
    body = slow_brotli(64_000)
    again(until, target.send, "/api/v1/events", body, "Content-Encoding: br")


@sender(2)
def large_brotli(target, until):
    body = slow_brotli(5_000_000)
    again(until, target.send, f"/api/{target.project}/envelope/", body, "Content-Encoding: br")


@sender(2)
def large_zstandard(target, until):
    body = slow_zstandard(20_000_000)
    again(until, target.send, f"/api/{target.project}/envelope/", body, "Content-Encoding: zstd")


@sender(8)
def bomb(target, until):
    """1 kB that becomes 1 MiB, with a trailer that is wrong: refused, and so free of the limit."""
    body = gzip.compress(EVENT + b" " * ((1 << 20) - len(EVENT)))[:-8] + bytes(8)
    again(until, target.send, "/api/v1/events", body, "Content-Encoding: gzip")


@sender(2)
def many_tags(target, until):
    """Bulks of four events with as many tags as fit, in an order that is bad for sorting."""
    tags = {f"{(number * 7_919) % 130_900:x}": "" for number in range(100_000)}
    event = json.dumps({"message": "m", "level": "info", "tags": tags}, separators=(",", ":"))
    body = f"[{','.join([event] * 4)}]".encode()
    again(until, target.send, "/api/v1/events/bulk", body)


@sender(1)
def streams_of_blanks(target, until):
    """48 streams that each send messages of 5 kB which inflate to 5 MiB and hold no event."""
    message = frame(deflated(b"[" + b" " * ((5 << 20) - 2) + b"]"), 0xc1)
    connections = [target.upgrade("/api/v1/stream", True, "Sec-WebSocket-Extensions: permessage-deflate")[0]
                   for _ in range(48)]
    while time.monotonic() < until:
        for connection in connections:
            connection.setblocking(False)
            try:
                connection.send(message)
                connection.recv(65536)
            except OSError:
                pass
        time.sleep(0.002)


@sender(1)
def unfinished_messages(target, until):
    """Streams that each hold what 5 kB inflate to, and never end the message."""
    message = frame(deflated(b"a" * ((5 << 20) - 1)), 0x41)
    connections = []
    while time.monotonic() < until and len(connections) < 1_000:
        connection, answer = target.upgrade("/api/v1/stream", True, "Sec-WebSocket-Extensions: permessage-deflate")
        connections.append(connection)
        if answer.startswith(b"HTTP/1.1 101"):
            connection.sendall(message)
    time.sleep(max(0, until - time.monotonic()))


def try_upgrade(target, key, *headers):
    try:
        target.upgrade("/ingest", key, *headers)[0].close()
    except OSError:
        pass


@sender(4)
def upgrades_without_key(target, until):
    again(until, try_upgrade, target, False)


@sender(4)
def upgrades_with_wrong_keys(target, until):
    while time.monotonic() < until:
        try_upgrade(target, False, f"Authorization: Bearer {os.urandom(16).hex()}")


@sender(1)
def unfinished_bodies(target, until):
    """Bodies of 20 MB without a key whose last byte never comes."""
    size, connections = 20_000_000, []
    head = f"POST /api/{target.project}/envelope/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
    for _ in range(25):
        try:
            connection = target.connect(5)
            connections.append(connection)
            connection.sendall(head.encode() + bytes(size - 1))
        except OSError:
            pass
        if time.monotonic() > until:
            break
    time.sleep(max(0, until - time.monotonic()))


@sender(4)
def wrong_keys(target, until):
    while time.monotonic() < until:
        target.send("/api/v1/events", EVENT, f"Authorization: Bearer {os.urandom(16).hex()}", key=False)


def run(name, target, until):
    os.nice(10)
    SENDERS[name][0](target, until)


class Attack:
    """Runs senders in processes of their own until its end."""

    def __init__(self, names, target, seconds):
        until = time.monotonic() + seconds
        self.processes = [multiprocessing.Process(target=run, args=(name, target, until), daemon=True)
                          for name in names for _ in range(SENDERS[name][1])]

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.join(30)
            process.kill()


def neighbour(target, seconds):
    """Times in ms of single events, one after another on connections of their own, sorted; fails when one is refused."""
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        status = target.send("/api/v1/events", EVENT)
        times.append((time.monotonic() - start) * 1e3)
        if status != 202:
            raise Harm(f"a neighbour's event was answered with {status}")
        time.sleep(0.01)
    return sorted(times)


def beside(names, attacker, other, seconds):
    """p99 and the slowest of a neighbour's events beside some senders, in ms."""
    with Attack(names, attacker, seconds + 1):
        time.sleep(1)
        times = neighbour(other, seconds)
    return percentile(times, 0.99), times[-1]


def project(binary, environment, slug, limit):
    """The key and the number of a project, made if it is not there."""
    mesher = lambda *arguments: subprocess.run(
        [f"{binary}/mesher", "project", *arguments], env=environment, capture_output=True, text=True)
    if mesher("show", slug).returncode:
        mesher("create", slug)
    mesher("set", slug, "--rate-limit", str(limit))
    dsn = json.loads(mesher("show", slug, "--json").stdout)["dsns"][0]
    return re.match(r"https?://(\w+)@.*/(\d+)$", dsn).groups()


def pair(environment):
    """An attacker with the usual limit, and a neighbour."""
    binary, url = environment["MESHER_BIN"], environment["MESHER_URL"]
    targets = [Target(url, *project(binary, environment, slug, limit))
               for slug, limit in (("attacker", 1_000), ("neighbour", 1_000_000_000))]
    # A new key is known within a second.
    time.sleep(1.2)
    return targets


if __name__ == "__main__":
    groups = [argument.split("+") for argument in sys.argv[2:]] or [[name] for name in SENDERS]
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4
    attacker, other = pair(dict(os.environ))
    quiet = neighbour(other, seconds)
    print(f"{'nobody':28} p99 {percentile(quiet, 0.99):8.1f} ms  max {quiet[-1]:8.1f} ms")
    for group in groups:
        p99, slowest = beside(group, attacker, other, seconds)
        print(f"{'+'.join(group):28} p99 {p99:8.1f} ms  max {slowest:8.1f} ms", flush=True)
