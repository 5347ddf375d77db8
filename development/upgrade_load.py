"""The load of development/upgrade-trial."""
import contextlib
import http.client
import json
import subprocess
import threading
import time
import uuid

SENDERS = 4


class Load:
    """Senders that post single events and bulks without an end, and one over WebSocket; what they were answered."""

    def __init__(self, stack, port):
        self.stack, self.port = stack, port
        self.done = threading.Event()
        self.lock = threading.Lock()
        self.accepted, self.faults = set(), []
        self.threads = [threading.Thread(target=self.post, args=(number,)) for number in range(SENDERS)]
        # The client sends again what was not acknowledged when its connection is lost, as a listener's end loses it.
        self.client = subprocess.Popen(
            [f"{stack.new}/mesher", "stream", stack.env["MESHER_DSN"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, bufsize=1, env=stack.variables)
        self.streamed = []
        self.threads += [threading.Thread(target=self.write), threading.Thread(target=self.read)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def event():
        return {"event_id": uuid.uuid4().hex, "message": "It broke", "level": "error", "dist": "7",
                "exception": {"values": [{"type": "ValueError", "value": "no"}]}, "user": {"id": "81723"}}

    def post(self, number):
        headers = {"Authorization": f"Bearer {self.stack.env['MESHER_KEY']}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.done.is_set():
            events = [self.event() for _ in range(20 if number == 0 else 1)]
            path, body = ("/api/v1/events/bulk", events) if number == 0 else ("/api/v1/events", events[0])
            try:
                connection.request("POST", path, json.dumps(body), headers)
                answer = connection.getresponse()
                text = answer.read().decode()
                found = [id for id in json.loads(text).get("ids", [json.loads(text).get("id")]) if id]
                with self.lock:
                    self.accepted.update(found)
                    if answer.status != 202 or len(found) != len(events):
                        self.faults.append(f"{answer.status} {text[:200]}")
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.faults.append(f"{path}: {error!r}")
                connection.close()
            time.sleep(0.01)

    def write(self):
        with contextlib.suppress(BrokenPipeError):
            while not self.done.is_set():
                event = self.event()
                self.streamed.append(event["event_id"])
                self.client.stdin.write(json.dumps(event) + "\n")
                time.sleep(0.01)
            self.client.stdin.close()

    def read(self):
        for line in self.client.stdout:
            with self.lock:
                answer = json.loads(line)
                if answer.get("status") == "accepted":
                    self.accepted.add(answer["id"])
                else:
                    self.faults.append(f"stream: {line.strip()[:200]}")

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join(90)
        if self.client.wait(30) != 0:
            self.faults.append(f"mesher stream ended with {self.client.returncode}")
        if missing := set(self.streamed) - self.accepted:
            self.faults.append(f"{len(missing)} events of the stream were not acknowledged")
