"""Headless Chromium, and an origin of its own whose pages it opens."""

import contextlib
import http.server
import os
import signal
import subprocess
import tempfile
import threading

OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]


class Pages(http.server.BaseHTTPRequestHandler):
    """A subclass answers what is asked for."""

    def answer(self, body, *headers):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(pages):
    """Serves them until the program ends, and returns their origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def command(*options):
    """The command line of a Chromium that remembers nothing of any before."""
    with tempfile.TemporaryDirectory(prefix="mesher-browser.", ignore_cleanup_errors=True) as profile:
        yield ["chromium", *OPTIONS, f"--user-data-dir={profile}", *options]


@contextlib.contextmanager
def opened(*options):
    """A Chromium that runs until the block ends."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with command(*options) as arguments, subprocess.Popen(arguments, start_new_session=True, **silent) as chromium:
        try:
            yield chromium
        finally:
            # All its processes, none of which is to write to the folder any more.
            os.killpg(chromium.pid, signal.SIGKILL)
