"""Lets a page of an origin of its own in headless Chromium stream events, with the key as a subprotocol, and prints how many
were accepted.

Arguments: the stream's URL, the key, how many events.
"""

import http.server
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading

url, key, count = sys.argv[1:]

PAGE = """<!doctype html><title>stream</title><script>
const count = %(count)s;
const socket = new WebSocket("%(url)s", ["mesher.v1", "mesher.key.%(key)s"]);
let answers = 0, accepted = 0;
const tell = (text) => fetch("/told", {method: "POST", body: text});
socket.onopen = () => {
    if (socket.protocol !== "mesher.v1") return tell("the protocol is " + socket.protocol);
    for (let number = 0; number < count; number++) {
        const extra = {number, x: "x".repeat(500)};
        socket.send(JSON.stringify({message: "streamed " + number, level: "info", platform: "javascript", extra}));
    }
};
socket.onmessage = (message) => {
    answers++;
    if (JSON.parse(message.data).status === "accepted") accepted++;
    if (answers === count) tell(accepted);
};
socket.onclose = (close) => { if (answers < count) tell(`closed with ${close.code} after ${answers} answers`); };
</script>"""

told = queue.Queue()


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer((PAGE % {"url": url, "key": key, "count": count}).encode())

    def do_POST(self):
        told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory(prefix="mesher-browser.", ignore_cleanup_errors=True) as profile:
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        f"--user-data-dir={profile}", f"http://127.0.0.1:{server.server_port}/",
    ]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **silent) as chromium:
        try:
            print(told.get(timeout=120))
        finally:
            # All its processes, none of which is to write to the folder any more.
            os.killpg(chromium.pid, signal.SIGKILL)
