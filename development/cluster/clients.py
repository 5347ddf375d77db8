"""Clients of the cluster, run inside the client's network: `clients.py KIND JSON`. Each prints JSON.

  load   single events at a rate, each with an id of its own, sent again with that id until it is acknowledged
  limit  as many events as there are, singly, in bulks and over WebSocket, over all hosts at once: what is granted
  same   each id to all hosts at once; bulks of the same ids in other orders
"""

import asyncio
import base64
import json
import os
import random
import struct
import sys
import time
import uuid

PAD = "x" * 600


def event(identifier=None):
    members = {"message": "m", "level": "error", "extra": {"pad": PAD}}
    return json.dumps(members | ({"event_id": identifier} if identifier else {})).encode()


class Connection:
    def __init__(self, address, key):
        self.address, self.key, self.reader, self.writer = address, key, None, None

    async def open(self):
        self.reader, self.writer = await asyncio.wait_for(asyncio.open_connection(self.address, 80), 1)

    def close(self):
        if self.writer:
            self.writer.transport.abort()
        self.reader = self.writer = None

    async def post(self, path, body):
        if not self.writer:
            await self.open()
        head = f"POST {path} HTTP/1.1\r\nHost: front\r\nAuthorization: Bearer {self.key}\r\n"
        self.writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status, body = int(head.split()[1]), b""
        if b"transfer-encoding: chunked" in head:
            while size := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        else:
            length = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
            body = await self.reader.readexactly(int(length[0].split(b":")[1])) if length else b""
        if b"connection: close" in head:
            self.close()
        return status, body


class Stream:
    async def open(self, address, key):
        self.reader, self.writer = await asyncio.open_connection(address, 80)
        token = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /api/v1/stream HTTP/1.1\r\nHost: front\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {token}\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head.split(b"\r\n")[0], head

    def send(self, data):
        mask, size = os.urandom(4), len(data)
        head = bytes([0x81]) + (bytes([0x80 | size]) if size < 126 else bytes([0xfe]) + struct.pack(">H", size))
        self.writer.write(head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(data)))

    async def receive(self):
        while True:
            head = await self.reader.readexactly(2)
            size = head[1] & 127
            if size == 126:
                size = struct.unpack(">H", await self.reader.readexactly(2))[0]
            data = await self.reader.readexactly(size)
            if head[0] & 15 == 1:
                return json.loads(data)
            assert head[0] & 15 == 9, head


async def load(targets, key, connections, rate, seconds, timeout=8):
    """Prints how many were acknowledged, their ids, the longest time without an acknowledgement, and the p99."""
    answers, codes, unacknowledged = [], {}, []
    end = time.monotonic() + seconds
    period = connections / rate

    async def client(number):
        connection = Connection(targets[number % len(targets)], key)
        due = time.monotonic() + random.random() * period
        while due < end:
            await asyncio.sleep(max(0, due - time.monotonic()))
            due = max(due + period, time.monotonic() - 1)
            identifier, sent = uuid.uuid4().hex, time.monotonic()
            while True:
                try:
                    code, _ = await asyncio.wait_for(connection.post("/api/v1/events", event(identifier)), timeout)
                except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
                    code = type(error).__name__
                    connection.close()
                codes[code] = codes.get(code, 0) + 1
                if code == 202:
                    answers.append((identifier, sent, time.monotonic()))
                    break
                if time.monotonic() > end + 10:
                    unacknowledged.append(identifier)
                    break
                # As an SDK would: the same event, with the same id.
                await asyncio.sleep(0.2)
        connection.close()

    begin = time.monotonic()
    await asyncio.gather(*(client(number) for number in range(connections)))
    times = [begin] + sorted(answer[2] for answer in answers)
    waits = sorted(answered - sent for _, sent, answered in answers) or [0]
    return {
        "acknowledged": [answer[0] for answer in answers], "unacknowledged": unacknowledged, "codes": codes,
        "gap": max(b - a for a, b in zip(times, times[1:])) if answers else seconds,
        "p99": waits[len(waits) * 99 // 100], "slowest": waits[-1]}


async def limit(targets, key, events):
    """Prints how many were granted over each door."""
    share, plain = events // 3, b'{"message":"m","level":"info"}'
    granted, codes = {"single": 0, "bulk": 0, "stream": 0}, {}

    def note(code):
        codes[code] = codes.get(code, 0) + 1

    async def single(number):
        connection = Connection(targets[number % len(targets)], key)
        for _ in range(share // 30):
            code, _ = await connection.post("/api/v1/events", plain)
            note(code)
            granted["single"] += code == 202

    async def bulk(number):
        connection = Connection(targets[number % len(targets)], key)
        code, body = await connection.post("/api/v1/events/bulk", b"[" + b",".join([plain] * (share // 10)) + b"]")
        note(code)
        granted["bulk"] += json.loads(body).get("accepted", 0)

    async def stream(number):
        connection = Stream()
        await connection.open(targets[number % len(targets)], key)
        for _ in range(share // 30):
            connection.send(plain)
        for _ in range(share // 30):
            # Apart, since others add to it while this one waits.
            answer = await connection.receive()
            granted["stream"] += answer.get("status") == "accepted"

    await asyncio.gather(
        *(single(n) for n in range(30)), *(bulk(n) for n in range(10)), *(stream(n) for n in range(30)))
    return {"granted": granted, "codes": codes}


async def same(targets, key, ids, bulks):
    """Prints the ids that were acknowledged, and how often an answer was no 202."""
    identifiers, refused, waits = [uuid.uuid4().hex for _ in range(ids)], 0, []

    async def send(connection, path, body):
        nonlocal refused
        begin = time.monotonic()
        code, _ = await connection.post(path, body)
        waits.append(time.monotonic() - begin)
        refused += code != 202

    async def lane(number):
        connections = [Connection(target, key) for target in targets]
        for identifier in identifiers[number::4]:
            await asyncio.gather(*(send(one, "/api/v1/events", event(identifier)) for one in connections))

    await asyncio.gather(*(lane(number) for number in range(4)))
    connections = [Connection(target, key) for target in targets]
    for _ in range(bulks):
        batch = [uuid.uuid4().hex for _ in range(100)]
        identifiers += batch
        bodies = [b"[" + b",".join(event(one) for one in random.sample(batch, 100)) + b"]" for _ in targets]
        await asyncio.gather(*(send(one, "/api/v1/events/bulk", body) for one, body in zip(connections, bodies)))
    return {"acknowledged": identifiers, "refused": refused, "p99": sorted(waits)[len(waits) * 99 // 100], "gap": max(waits)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(globals()[sys.argv[1]](**json.loads(sys.argv[2])))))
