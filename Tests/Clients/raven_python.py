"""Sends an exception and a message with raven for Python, and prints the ids of its events as JSON. Argument: the DSN."""

import json
import sys

import raven
from raven.transport.http import HTTPTransport

failures = []


class Client(raven.Client):
    def _failed_send(self, error, *rest, **named):
        failures.append(str(error))
        super()._failed_send(error, *rest, **named)


client = Client(
    sys.argv[1],
    transport=HTTPTransport,
    release="shop@1.2.3",
    environment="staging",
    name="web-1",
    tags={"region": "eu", "shard": 7},
    install_sys_hook=False,
)
ids = {}
try:
    {}["missing"]
except KeyError:
    ids["exception"] = client.captureException()
ids["message"] = client.captureMessage("It broke: %s", params=("ünïcödé",), level="warning")
if failures:
    sys.exit("\n".join(failures))
print(json.dumps(ids))
