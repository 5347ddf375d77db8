"""Opens the operator's page in headless Chromium and waits, one after the other, until each of some conditions holds, for a
minute each. Prints an object on a line for each: whether it came to hold, what the page shows, and what the browser complained of.

Arguments: the page's address, then the conditions, expressions of JavaScript.
"""

import json
import sys
import tempfile
import time
import urllib.request

# Nothing is left beside the sources.
sys.dont_write_bytecode = True
import chromium
import websocket

address, *conditions = sys.argv[1:]

SHOWN = """({
    title: document.title, state: document.documentElement.dataset.state,
    text: document.querySelector("main").innerText,
    // Wider than a telephone is.
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})"""


class Tools:
    """The developer tools of the browser's page."""

    def __init__(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self.complaints = []
        self.last = 0

    def call(self, method, **parameters):
        self.last += 1
        self.socket.send(json.dumps({"id": self.last, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                self.complaints.append(json.dumps(message["params"]))
            elif message.get("method") == "Log.entryAdded":
                self.complaints.append(message["params"]["entry"]["text"])
            if message.get("id") == self.last:
                return message.get("result", {})

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True).get("result", {}).get("value")


def started(port_file):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with open(port_file) as file:
                return int(file.readline())
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)
    sys.exit("Chromium did not start")


with tempfile.TemporaryDirectory(prefix="mesher-page.", ignore_cleanup_errors=True) as profile:
    options = ["--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={profile}", "about:blank"]
    with chromium.opened(*options):
        tools = Tools(started(profile + "/DevToolsActivePort"))
        for domain in ("Page", "Runtime", "Log"):
            tools.call(domain + ".enable")
        tools.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
        tools.call("Page.navigate", url=address)
        for condition in conditions:
            deadline = time.monotonic() + 60
            while not (holds := tools.value(f"Boolean({condition})")) and time.monotonic() < deadline:
                time.sleep(0.1)
            shown = tools.value(SHOWN)
            print(json.dumps({"holds": bool(holds), "shown": shown, "complaints": tools.complaints}), flush=True)
            tools.complaints.clear()
