"""What schemathesis cannot know from docs/openapi.yaml: bodies that are no JSON document, and whose the key is."""
import json
import os

import schemathesis
from hypothesis import strategies as st

values = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
events = st.fixed_dictionaries(
    {"message": st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=200),
     "level": st.sampled_from(["fatal", "error", "warning", "info", "debug"])},
    optional={"extra": st.dictionaries(st.text(max_size=10), values, max_size=5)})
kinds = st.sampled_from(["event", "feedback", "transaction", "session", "attachment", "client_report", "check_in", "x"])


def text(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@st.composite
def lines(draw):
    """Events, one a line, with blank lines between them."""
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
    return end.join(map(text, draw(st.lists(events, min_size=1, max_size=5)))) + draw(st.sampled_from([b"", end]))


@st.composite
def envelopes(draw):
    """A header, then items with a length or of one line."""
    header = draw(st.fixed_dictionaries({}, optional={"event_id": st.uuids().map(lambda id: id.hex)}))
    parts = [text(header)]
    for kind in draw(st.lists(kinds, max_size=4)):
        payload = text(draw(events))
        item = {"type": kind, "length": len(payload)} if draw(st.booleans()) else {"type": kind}
        parts += [text(item), payload]
    return b"\n".join(parts) + draw(st.sampled_from([b"", b"\n"]))


schemathesis.openapi.media_type("application/x-ndjson", lines())
schemathesis.openapi.media_type("application/x-sentry-envelope", envelopes())


@schemathesis.hook
def before_load_schema(context, schema):
    """All other projects are wrong: they are refused with 403, whatever the body is."""
    schema["components"]["parameters"]["Project"]["schema"] = {"enum": [int(os.environ["MESHER_PROJECT_ID"])]}
