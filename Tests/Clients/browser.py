"""Lets headless Chromium open two pages of an origin of their own: one sends an error to the envelope endpoint with fetch and
shows what it could read of the answer, the other violates its Content-Security-Policy. Prints what the first one showed.

Arguments: Mesher's URL, the project's number, the key.
"""

import subprocess
import sys

# Nothing is left beside the sources.
sys.dont_write_bytecode = True
import chromium

url, project, key = sys.argv[1:]

FETCH = """<!doctype html><title>fetch</title><pre id=shown></pre><script>
const id = crypto.getRandomValues(new Uint8Array(16)).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
const event = {event_id: id, message: "It broke in a browser", level: "error", platform: "javascript"};
const body = [{event_id: id}, {type: "event"}, event].map(JSON.stringify).join("\\n");
const show = async (answer) => ({
    status: answer.status, body: await answer.text(), error: answer.headers.get("X-Sentry-Error"),
});
(async () => {
    const shown = {id};
    try {
        shown.plain = await show(await fetch("%(envelope)s?sentry_key=%(key)s&sentry_version=7", {method: "POST", body}));
        shown.asked = await show(await fetch("%(envelope)s", {method: "POST", body, headers: {
            "Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": "Sentry sentry_key=%(key)s"}}));
        shown.refused = await show(await fetch("%(envelope)s?sentry_key=0", {method: "POST", body}));
    } catch (failure) { shown.failure = String(failure); }
    document.getElementById("shown").textContent = JSON.stringify(shown);
})();
</script>"""

VIOLATION = """<!doctype html><title>violation</title><img src="http://blocked.example/pixel.png"><script>
setTimeout(() => {}, 3000);
</script>"""


class Pages(chromium.Pages):
    def do_GET(self):
        if self.path == "/violation":
            report = f"{url}/api/{project}/security/?sentry_key={key}"
            self.answer(VIOLATION.encode(), ("Content-Security-Policy", f"img-src 'none'; report-uri {report}"))
        else:
            self.answer((FETCH % {"envelope": f"{url}/api/{project}/envelope/", "key": key}).encode())


def shown(address):
    """The page's document once its scripts have had five seconds of their time."""
    with chromium.command("--virtual-time-budget=5000", "--dump-dom", address) as arguments:
        return subprocess.run(arguments, capture_output=True, text=True, timeout=60).stdout


origin = chromium.serve(Pages)
document = shown(origin + "/fetch")
shown(origin + "/violation")
start = document.find('<pre id="shown">')
print(document[start + 16 : document.find("</pre>")].replace("&amp;", "&") if start >= 0 else document)
