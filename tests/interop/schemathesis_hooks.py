"""How bodies are written that schemathesis does not know how to write."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """Writes each element of a list on a line of its own, and anything else as it is."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return "".join(json.dumps(element) + "\n" for element in value).encode()
    return str(value).encode(errors="replace")
