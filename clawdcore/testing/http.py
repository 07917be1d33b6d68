"""Answers to plugins' HTTP requests in tests: written by hand, or recorded once."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from .network import NetworkRefused

KEPT_HEADERS: Final = frozenset(
    {"cache-control", "content-type", "date", "etag", "expires", "last-modified", "location"}
    | {"retry-after", "vary"}
)
"""Headers of answers that go into a recording."""
SECRETS: Final = frozenset({"access_token", "api_key", "apikey", "appid", "auth", "key", "token"})
"""Parameters of addresses whose values never go into a recording, and match anything."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One prepared answer; ``error`` is raised in its place, after ``delay`` seconds."""

    method: str
    url: str
    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = b""
    error: Exception | None = None
    delay: float = 0.0


class FakeHttp(httpx.AsyncBaseTransport):
    """What plugins reach through ``context.http`` in a test.

    ``requests`` are those that came, in order. A request that nothing was prepared for
    raises :class:`~clawdcore.testing.NetworkRefused`, which says how to prepare it.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers: list[Answer] = []
        self._recording: Path | None = None
        self._real: httpx.AsyncBaseTransport | None = None
        self._recorded: list[dict[str, Any]] = []

    def answer(
        self,
        url: str,
        *,
        method: str = "GET",
        status: int = 200,
        json: Any = None,
        text: str | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        error: Exception | None = None,
        delay: float = 0.0,
    ) -> None:
        """Answer the next request of ``url``; the last answer for one holds for all after it.

        ``url`` without a query answers every query. ``json``, ``text`` or ``body`` is what
        comes; ``error`` (an ``httpx.ConnectError``, say) is raised instead. ``delay`` is
        in virtual seconds.
        """
        given = dict(headers or {})
        if json is not None:
            body = msgspec.json.encode(json)
            given.setdefault("content-type", "application/json")
        elif text is not None:
            body = text.encode()
            given.setdefault("content-type", "text/plain; charset=utf-8")
        self._answers.append(
            Answer(
                method=method,
                url=url,
                status=status,
                headers=given,
                body=body,
                error=error,
                delay=delay,
            )
        )

    def recorded(self, path: Path, *, anew: bool = False) -> None:
        """Answer from the recording at ``path``; with ``anew`` ask the services, and write it.

        Of what was asked a recording keeps method and address without secret parameters,
        of answers the status, the body and the headers that matter to caches.

        Raises:
            FileNotFoundError: there is no recording; says how to make one.
        """
        if anew:
            self._recording = path
            self._real = httpx.AsyncHTTPTransport()
            return
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no recording {path}. Make it, with the network: "
                "CLAWDBOT_RECORD=1 pytest (this test)"
            )
        for entry in json.loads(path.read_text(encoding="utf-8")):
            raw = entry.get("base64")
            self._answers.append(
                Answer(
                    method=entry["method"],
                    url=entry["url"],
                    status=entry["status"],
                    headers=entry["headers"],
                    body=base64.b64decode(raw) if raw is not None else entry["text"].encode(),
                )
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx's transports."""
        await request.aread()
        self.requests.append(request)
        if self._real is not None:
            return await self._record(request, self._real)
        found = self._find(request)
        if found is None:
            raise NetworkRefused(
                f"{request.method} {request.url}",
                fix=f"prepare it: bot.http.answer({str(request.url)!r}, json=…)",
            )
        if found.delay:
            await asyncio.sleep(found.delay)
        if found.error is not None:
            raise found.error
        return httpx.Response(
            found.status, headers=found.headers, content=found.body, request=request
        )

    def _find(self, request: httpx.Request) -> Answer | None:
        for exact in (True, False):
            fitting = [
                answer
                for answer in self._answers
                if answer.method == request.method and _fits(answer.url, request.url, exact=exact)
            ]
            if fitting:
                if len(fitting) > 1:
                    self._answers.remove(fitting[0])
                return fitting[0]
        return None

    async def _record(
        self, request: httpx.Request, real: httpx.AsyncBaseTransport
    ) -> httpx.Response:
        response = await real.handle_async_request(request)
        response.request = request
        body = await response.aread()
        kept = {k: v for k, v in response.headers.items() if k.lower() in KEPT_HEADERS}
        entry: dict[str, Any] = {
            "method": request.method,
            "url": str(_bare(request.url)),
            "status": response.status_code,
            "headers": kept,
        }
        try:
            entry["text"] = body.decode()
        except UnicodeDecodeError:
            entry["base64"] = base64.b64encode(body).decode()
        self._recorded.append(entry)
        await response.aclose()
        return httpx.Response(response.status_code, headers=kept, content=body, request=request)

    async def aclose(self) -> None:
        """Write what was recorded."""
        if self._real is None or self._recording is None:
            return
        real, self._real = self._real, None
        await real.aclose()
        self._recording.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._recorded, ensure_ascii=False, indent=1)
        self._recording.write_text(text + "\n", encoding="utf-8")


def _fits(prepared: str, asked: httpx.URL, *, exact: bool) -> bool:
    if exact:
        return _bare(httpx.URL(prepared)) == _bare(asked)
    return "?" not in prepared and httpx.URL(prepared) == asked.copy_with(query=None)


def _bare(url: httpx.URL) -> httpx.URL:
    """``url`` without its secrets, and with its parameters in one order."""
    pairs = sorted((k, v) for k, v in url.params.multi_items() if k.lower() not in SECRETS)
    return (
        url.copy_with(params=pairs, userinfo=b"", fragment=None)
        if pairs
        else url.copy_with(query=None, userinfo=b"", fragment=None)
    )
