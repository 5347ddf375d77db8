"""Streams events with a WebSocket client from PyPI, reading the answers meanwhile, and prints how many were accepted.

Arguments: websockets or websocket-client, the stream's URL, the key, how many events.
"""

import asyncio
import json
import sys
import threading

library, url, key, count = sys.argv[1:]
count = int(count)


def event(number):
    return json.dumps({"message": f"streamed {number}", "level": "info", "extra": {"number": number, "x": "x" * 500}})


def is_accepted(answer):
    return json.loads(answer).get("status") == "accepted"


async def with_websockets():
    import websockets

    # The key in the query, since the argument for headers has another name in each release.
    async with websockets.connect(f"{url}?sentry_key={key}") as stream:
        agreed = stream.extensions if hasattr(stream, "extensions") else stream.protocol.extensions
        assert agreed, "compression was agreed on"

        async def send():
            for number in range(count):
                await stream.send(event(number))

        sending = asyncio.create_task(send())
        accepted = 0
        for _ in range(count):
            accepted += is_accepted(await stream.recv())
        await sending
        return accepted


def with_websocket_client():
    import websocket

    stream = websocket.create_connection(url, subprotocols=["mesher.v1", "mesher.key." + key])
    assert stream.getsubprotocol() == "mesher.v1"

    def send():
        for number in range(count):
            stream.send(event(number))

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    accepted = sum(is_accepted(stream.recv()) for _ in range(count))
    sending.join()
    stream.close()
    return accepted


print(asyncio.run(with_websockets()) if library == "websockets" else with_websocket_client())
