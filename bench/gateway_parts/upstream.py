"""A server that speaks as much of OpenAI's API as a proxy needs, and costs next to nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any, Final

MODEL: Final = "bench"
EVENTS: Final = 12
"""Events of a stream before its ``[DONE]``; each is written, and so sent, by itself."""
LENGTH: Final = b"content-length:"

_CHUNKED: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def answer(status: str, fields: dict[str, Any]) -> bytes:
    """A whole HTTP answer whose connection stays open."""
    body = json.dumps(fields).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _completion() -> bytes:
    message = {"role": "assistant", "content": "Good morning to you, and to all who read it."}
    return answer(
        "200 OK",
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 10, "total_tokens": 19},
        },
    )


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(number: int) -> bytes:
    last = number == EVENTS - 1
    fields = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "delta": {} if last else {"role": "assistant", "content": "word "},
                "finish_reason": "stop" if last else None,
            }
        ],
    }
    return _chunk(b"data: " + json.dumps(fields).encode() + b"\n\n")


COMPLETION: Final = (_completion(),)
STREAM: Final = (
    _CHUNKED + _event(0),
    *(_event(number) for number in range(1, EVENTS)),
    _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n",
)
_LISTED: Final = {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": 8192}
MODELS: Final = (answer("200 OK", {"object": "list", "data": [_LISTED]}),)
HEALTHY: Final = (answer("200 OK", {}),)
UNKNOWN: Final = (answer("404 Not Found", {"error": {"message": "There is nothing here."}}),)


def take(data: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The answer to the first request in ``data``, by writes, and what follows the request.

    () while the request is not whole.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return (), data
    head = data[:end].lower()
    place = head.find(LENGTH)
    length = int(head[place + len(LENGTH) :].partition(b"\r\n")[0]) if place >= 0 else 0
    whole = end + 4 + length
    if len(data) < whole:
        return (), data
    rest = data[whole:]
    path = head.split(b" ", 2)[1]
    if path == b"/v1/chat/completions":
        body = data[end + 4 : whole].replace(b" ", b"")
        return (STREAM if b'"stream":true' in body else COMPLETION), rest
    if path.startswith(b"/v1/models"):
        return MODELS, rest
    return (HEALTHY if path.startswith(b"/health") else UNKNOWN), rest


class Upstream(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole now."""
        self._data = self._data + data if self._data else data
        while True:
            pieces, self._data = take(self._data)
            if not pieces:
                return
            for piece in pieces:
                self._transport.write(piece)


async def serve(port: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
