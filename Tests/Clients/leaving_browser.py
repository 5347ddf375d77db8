"""Lets headless Chromium open a page of an origin of its own that sends events while it closes: by navigator.sendBeacon and by
fetch with keepalive. Runs until it is interrupted.

Arguments: Mesher's URL, the project's number, the key.
"""

import http.server
import os
import signal
import subprocess
import sys
import tempfile
import threading

url, project, key = sys.argv[1:]

OPENING = """<!doctype html><title>opening</title><script>open("/closing");</script>"""

CLOSING = """<!doctype html><title>closing</title><script>
const address = "%(url)s/api/%(project)s/";
const query = "?sentry_version=7&sentry_key=%(key)s";
const event = (message) => JSON.stringify({message, level: "error", platform: "javascript"});
const envelope = (message) => ["{}", '{"type":"event"}', event(message)].join("\\n");
addEventListener("pagehide", () => {
    navigator.sendBeacon(address + "store/" + query, event("beacon, event"));
    navigator.sendBeacon(address + "envelope/" + query, envelope("beacon, envelope"));
    navigator.sendBeacon(address + "envelope/" + query, new Blob([envelope("beacon, blob")], {type: "text/plain"}));
    fetch(address + "envelope/" + query, {method: "POST", keepalive: true, body: envelope("fetch, keepalive")});
    fetch(address + "envelope/", {
        method: "POST", keepalive: true, body: envelope("fetch, after a preflight"),
        headers: {"X-Sentry-Auth": "Sentry sentry_version=7, sentry_key=%(key)s"},
    });
});
addEventListener("load", () => close());
</script>"""


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = {"url": url, "project": project, "key": key}
        body = (CLOSING % names if self.path == "/closing" else OPENING).encode()
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
        "--disable-popup-blocking", f"--user-data-dir={profile}", f"http://127.0.0.1:{server.server_port}/",
    ]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **silent) as chromium:
        try:
            chromium.wait()
        finally:
            # All its processes, none of which is to write to the folder any more.
            os.killpg(chromium.pid, signal.SIGKILL)
