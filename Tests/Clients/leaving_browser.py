"""Lets headless Chromium open a page of an origin of its own that sends events while it closes: by navigator.sendBeacon and by
fetch with keepalive. Runs until it is interrupted.

Arguments: Mesher's URL, the project's number, the key.
"""

import sys

# Nothing is left beside the sources.
sys.dont_write_bytecode = True
import chromium

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


class Pages(chromium.Pages):
    def do_GET(self):
        names = {"url": url, "project": project, "key": key}
        self.answer((CLOSING % names if self.path == "/closing" else OPENING).encode())


with chromium.opened("--disable-popup-blocking", chromium.serve(Pages)) as browser:
    browser.wait()
