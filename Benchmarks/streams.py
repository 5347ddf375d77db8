"""WebSocket clients for the measurements: as little work as possible on their side, one thread, one wait."""
import json
import resource
import selectors
import socket
import subprocess
import time

MASK = b"\0\0\0\0"
# {"status":"accepted","id":"…"} in a frame: what is not of this length is no acceptance.
ANSWER = 2 + len('{"status":"accepted","id":"%s"}' % ("0" * 32))


def frame(payload, first=0x81):
    """A masked frame, RFC 6455, section 5.2; of text unless its first byte says otherwise."""
    length = len(payload)
    size = (bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big") if length < 65536
            else b"\xff" + length.to_bytes(8, "big"))
    return bytes([first]) + size + MASK + payload


def request(key):
    return (f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {key}\r\n\r\n").encode()


def open_all(port, key, count, at_once=64):
    """Opens connections, so many at once, and returns them with how many were opened in a second."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    selector, opened, begun, start = selectors.DefaultSelector(), [], 0, time.monotonic()
    while len(opened) < count:
        while begun < count and begun - len(opened) < at_once:
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(request(key))
            selector.register(connection, selectors.EVENT_READ)
            begun += 1
        for event, _ in selector.select(10):
            answer = event.fileobj.recv(4096)
            assert answer.startswith(b"HTTP/1.1 101") and answer.endswith(b"\r\n\r\n"), answer
            selector.unregister(event.fileobj)
            opened.append(event.fileobj)
    return opened, count / (time.monotonic() - start)


def pipeline(connections, body, seconds, window=64):
    """Messages a second that are accepted, with so many of each connection on their way."""
    message, selector = frame(body), selectors.DefaultSelector()
    pending = {connection: 0 for connection in connections}
    for connection in connections:
        connection.sendall(message * window)
        selector.register(connection, selectors.EVENT_READ)
    received, start = 0, time.monotonic()
    end = start + seconds
    in_hand = window * len(connections)
    while in_hand:
        for event, _ in selector.select(10):
            connection = event.fileobj
            data = connection.recv(65536)
            assert data, "a connection was closed"
            count, pending[connection] = divmod(pending[connection] + len(data), ANSWER)
            received += count
            in_hand -= count
            if time.monotonic() < end and count:
                connection.sendall(message * count)
                in_hand += count
    return received / (time.monotonic() - start), received


def latency(connections, body):
    """The slowest of fifty lone events, each on another of the connections, in ms."""
    slowest = 0
    for connection in connections[::max(1, len(connections) // 50)]:
        connection.settimeout(10)
        start = time.monotonic()
        connection.sendall(frame(body))
        data = connection.recv(4096)
        # A ping may stand before the answer.
        while b"accepted" not in data:
            data += connection.recv(4096)
        slowest = max(slowest, (time.monotonic() - start) * 1000)
    return slowest


def memory(mesher, environment):
    """The mean memory of a session in kB: Pss, with its share of what they have in common."""
    sessions = json.loads(subprocess.run([mesher, "sessions", "--json"], env=environment, check=True,
                                         capture_output=True, text=True).stdout)
    return sum(session["memory_bytes"] for session in sessions) / 1024 / len(sessions), len(sessions)
