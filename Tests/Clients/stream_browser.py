"""Lets a page of an origin of its own in headless Chromium stream events, with the key as a subprotocol, and prints how many
were accepted.

Arguments: the stream's URL, the key, how many events.
"""

import queue
import sys

# Nothing is left beside the sources.
sys.dont_write_bytecode = True
import chromium

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


class Pages(chromium.Pages):
    def do_GET(self):
        self.answer((PAGE % {"url": url, "key": key, "count": count}).encode())

    def do_POST(self):
        told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(b"")


with chromium.opened(chromium.serve(Pages)):
    print(told.get(timeout=120))
