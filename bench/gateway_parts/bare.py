"""The least that a proxy can be on the gateway's own stack: uvicorn, ASGI, aiohttp.

No queue, no limits, no counts, and nothing of the body is read.
"""

from __future__ import annotations

import argparse
from typing import Any

import aiohttp
import uvicorn


class Bare:
    """Sends each call on to ``root`` (http://HOST:PORT) and its answer back."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """As ASGI wants it."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
            )
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        url = self._root + scope["path"]
        async with self._session.request(
            scope["method"], url, data=body, headers=headers
        ) as answer:
            kind = answer.headers.get("content-type", "application/json").encode()
            head = [(b"content-type", kind)]
            start = {"type": "http.response.start", "status": answer.status, "headers": head}
            whole = b""
            if kind.startswith(b"text/event-stream"):
                await send(start)
                async for piece in answer.content.iter_any():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            else:
                whole = await answer.read()
                head.append((b"content-length", str(len(whole)).encode()))
                await send(start)
            await send({"type": "http.response.body", "body": whole})


def serve(port: int, root: str) -> None:
    """Serve until killed."""
    uvicorn.run(
        Bare(root),
        port=port,
        interface="asgi3",
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        backlog=1024,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="http://127.0.0.1:PORT")
    asked = parser.parse_args()
    serve(asked.port, asked.upstream)
