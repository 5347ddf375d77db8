"""Sends one of each kind of thing with the current sentry-sdk for Python, and prints the ids of its events as JSON.

Arguments: the DSN, and br, gzip or none for how the bodies are compressed; absent: as if brotli were not installed.
"""

import json
import sys

dsn, compression = sys.argv[1:]
if compression == "absent":
    sys.modules["brotli"] = None

import sentry_sdk
from sentry_sdk import logger

options = {
    "br": {"transport_compression_algo": "br"},
    "gzip": {"transport_compression_algo": "gzip"},
    "none": {"transport_compression_level": 0},
    "absent": {},
}
sentry_sdk.init(
    dsn,
    release="shop@1.2.3",
    environment="staging",
    server_name="web-1",
    traces_sample_rate=1.0,
    auto_session_tracking=False,
    default_integrations=False,
    shutdown_timeout=10,
    enable_logs=True,
    _experiments=options[compression],
)
ids = {}
scope = sentry_sdk.get_current_scope()
scope.set_tag("region", "eu")
scope.set_tag("shard", 7)

try:
    {}["missing"]
except KeyError as error:
    ids["exception"] = sentry_sdk.capture_exception(error)

ids["message"] = sentry_sdk.capture_message("It broke: ünïcödé", level="warning")

with sentry_sdk.start_transaction(op="task", name="nightly"):
    with sentry_sdk.start_span(op="db", name="SELECT 1"):
        pass

sentry_sdk.get_isolation_scope().start_session()
sentry_sdk.get_isolation_scope().end_session()

sentry_sdk.crons.capture_checkin(monitor_slug="nightly", status="ok")

logger.info("a log line")

with sentry_sdk.new_scope() as scope:
    scope.add_attachment(bytes=bytes(range(256)) * 16, filename="core.bin")
    ids["attachment"] = sentry_sdk.capture_message("with an attachment", level="fatal")

ids["feedback"] = sentry_sdk.capture_event(
    {
        "type": "feedback",
        "level": "info",
        "contexts": {"feedback": {"message": "I like it", "contact_email": "ann@example.com", "name": "Ann"}},
    }
)

sentry_sdk.flush(10)
sentry_sdk.get_client().close(10)
print(json.dumps(ids))
