"""What is asked, and where an answer ends: HTTP by its bytes, which costs least. No IO here."""

from __future__ import annotations

import json
from typing import Final, Literal

from .upstream import LENGTH, MODEL

Outcome = Literal["more", "good", "bad"]

_CHUNKED: Final = b"transfer-encoding: chunked"
_LAST: Final = b"\r\n0\r\n\r\n"


def request_of(port: int, *, stream: bool) -> bytes:
    """The request, the same bytes each time and for each system."""
    message = {"role": "user", "content": "Say good morning to everybody who reads this."}
    body = json.dumps(
        {"model": MODEL, "messages": [message], "max_tokens": 32, "stream": stream}
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def outcome(data: bytes, *, stream: bool) -> Outcome:
    """What has come of an answer to :func:`request_of`, of which nothing follows.

    Good is a 200 with the model's words in it, and for a stream with its end.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return "more"
    head = data[:end].lower()
    if _CHUNKED in head:
        if not data.endswith(_LAST):
            return "more"
    else:
        place = head.find(LENGTH)
        if place < 0:
            return "bad"  # it ends with the connection, and that must stay open
        length = int(head[place + len(LENGTH) :].partition(b"\r\n")[0])
        if len(data) < end + 4 + length:
            return "more"
    wanted = b"data: [DONE]" if stream else b'"choices"'
    return "good" if head.startswith(b"http/1.1 200") and wanted in data else "bad"
