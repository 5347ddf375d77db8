"""What is sent, by whom it is sent, and what comes of it in figures."""
import json
import os
import pathlib
import random
import re
import subprocess

CONNECTIONS = 64

EVENT = {
    "timestamp": "2026-01-31T09:26:53.589Z", "platform": "python", "level": "error", "logger": "app.checkout",
    "transaction": "POST /checkout", "server_name": "web-3.example.net", "release": "shop@4.11.2",
    "environment": "production", "message": "ValueError: amount must be positive, not -12",
    "exception": {"values": [{
        "type": "ValueError", "value": "amount must be positive, not -12", "module": "shop.payment",
        "stacktrace": {"frames": [
            {"filename": "shop/views.py", "function": "checkout", "lineno": 121, "in_app": True,
             "context_line": "    total = charge(cart, amount)", "pre_context": ["    cart = Cart.load(request)"]},
            {"filename": "shop/payment.py", "function": "charge", "lineno": 48, "in_app": True,
             "context_line": "        raise ValueError(f\"amount must be positive, not {amount}\")"}]}}]},
    "tags": {"region": "eu-west-1", "tier": "gold", "runtime": "CPython 3.11.7"},
    "extra": {"cart_items": 3, "currency": "EUR", "attempt": 1, "session": "5c1f7f0e9c4b4d1f8f2f8a4e7a9d3c21"},
    "user": {"id": "81723", "ip_address": "192.0.2.17"}, "sdk_name": "sentry.python", "sdk_version": "2.19.0",
}


class Failure(Exception):
    pass


def text(event):
    return json.dumps(event, separators=(",", ":"))


def event_of(kilobytes):
    """The event with as many frames as make it so large; 1 is the event as it is. Frames repeat names and differ in their
    code, as real ones do, since PostgreSQL compresses them."""
    chance, event = random.Random(kilobytes), json.loads(text(EVENT))
    words = "order total charge cart amount session request user query cursor rows price item state index cache".split()
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    code = lambda: "    " * chance.randint(1, 4) + " ".join(chance.choices(words, k=chance.randint(3, 8))) + f"[{chance.random():.6f}]"
    while kilobytes > 1 and len(text(event)) < kilobytes * 1000:
        module, line = chance.choice(words), chance.randint(1, 900)
        frames.insert(0, {
            "filename": f"shop/{module}.py", "abs_path": f"/srv/shop/releases/4.11.2/shop/{module}.py",
            "module": f"shop.{module}", "function": f"{chance.choice(words)}_{chance.choice(words)}", "lineno": line,
            "in_app": chance.random() < 0.5, "context_line": code(), "pre_context": [code() for _ in range(5)],
            "post_context": [code() for _ in range(5)],
            "vars": {word: f"<{word.title()} object at 0x{chance.getrandbits(48):x}>" for word in chance.sample(words, 3)}})
    return text(event)


def quoted(body):
    """As a string of Lua."""
    return "'" + body.replace("\\", "\\\\").replace("'", "\\'") + "'"


HEADERS = "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"


def script(path, body, key):
    """For wrk: the same request again and again."""
    pathlib.Path(path).write_text(
        HEADERS + f"wrk.body = {quoted(body)}\n"
        f"wrk.headers['X-Sentry-Auth'] = 'Sentry sentry_key={key}, sentry_version=7'\n")
    return path


def script_of_many(path, body, keys):
    """For wrk: requests with all these keys, in an order by chance. They are made beforehand, as the one above is."""
    keys = random.Random(1).sample(keys, len(keys))
    pathlib.Path(path).write_text(
        HEADERS + f"wrk.body = {quoted(body)}\nlocal keys = {{{','.join(map(quoted, keys))}}}\n"
        "local requests, last = {}, 0\n"
        "function init(arguments)\n"
        "    for i, key in ipairs(keys) do\n"
        "        wrk.headers['X-Sentry-Auth'] = 'Sentry sentry_key=' .. key .. ', sentry_version=7'\n"
        "        requests[i] = wrk.format()\n"
        "    end\n"
        "end\n"
        "function request()\n"
        "    last = last % #requests + 1\n"
        "    return requests[last]\n"
        "end\n")
    return path


def wrk(url, script, connections=CONNECTIONS, seconds=5):
    """Requests a second and p99 in ms; every answer must be a 2xx, and none may be missing."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", script, url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise Failure(output)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", output).groups()
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def busy():
    """Seconds for which the processors of this machine have worked, proc(5)."""
    user, nice, system, _, _, irq, softirq = map(int, pathlib.Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def percentile(times, share):
    """Of sorted times."""
    return times[min(int(len(times) * share), len(times) - 1)]
