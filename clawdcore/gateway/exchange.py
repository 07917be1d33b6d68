"""One call over HTTP: its headers, its bounded body, its answer, and whether anybody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Any, Final

from .presence import HANGUP, Gone, Presence, Receive, Send
from .problems import GONE, Problem

Scope = MutableMapping[str, Any]
Headers = Iterable[tuple[bytes, bytes]]

JSON: Final = b"application/json"
EVENTS: Final = b"text/event-stream; charset=utf-8"
BODY_LIMIT: Final = 20 * 1024 * 1024
"""Bytes of one body; a dozen pictures fit."""
BODIES_LIMIT: Final = 16 * BODY_LIMIT
"""Bytes of all bodies that are held at once."""
BODY_TIME: Final = 30.0
"""Seconds in which a body must have come."""


class Held:
    """How many bytes of bodies are in memory, of how many there may be."""

    def __init__(self, limit: int = BODIES_LIMIT) -> None:
        self._limit = limit
        self._now = 0

    def take(self, size: int) -> None:
        """Count ``size`` more.

        Raises:
            Problem: 503, they would be too many.
        """
        if self._now + size > self._limit:
            raise Problem(
                503, "Too many large calls are under way.", code="overloaded", retry_after=1.0
            )
        self._now += size

    def give_back(self, size: int) -> None:
        """``size`` bytes are gone again."""
        self._now -= size


class Exchange:
    """A call and its answer. ``status`` is 0 until the answer has begun."""

    __slots__ = ("_body", "_headers", "_held", "_over", "_send", "receive", "scope", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, held: Held) -> None:
        self.scope = scope
        self.receive = receive
        self.status = 0
        self._send = send
        self._held = held
        self._body = 0
        self._over = False
        self._headers: dict[bytes, bytes] = dict(scope["headers"])

    @property
    def over(self) -> bool:
        """Whether the answer is complete."""
        return self._over

    def header(self, name: bytes) -> bytes | None:
        """A header's value; ``name`` in lower case."""
        return self._headers.get(name)

    async def body(self, *, limit: int = BODY_LIMIT, seconds: float = BODY_TIME) -> bytes:
        """The whole body.

        Raises:
            Problem: 413 beyond ``limit`` bytes, 408 after ``seconds``, 400 for a wrong length.
            Gone: the caller hung up before its end.
        """
        self._check_declared(limit)
        try:
            async with asyncio.timeout(seconds):
                return await self._pieces(limit)
        except TimeoutError:
            raise Problem(
                408,
                f"The body did not come within {seconds:g} s.",
                code="timeout",
                headers=((b"connection", b"close"),),
            ) from None

    def _check_declared(self, limit: int) -> None:
        text = self._headers.get(b"content-length")
        if text is None:
            return
        if not text.isdigit() or len(text) > 18:
            raise Problem(400, "content-length is not a number.", code="invalid_value")
        if int(text) > limit:
            # A caller who is cut off while still sending would not see the answer.
            raise _too_large(limit, close=int(text) > 4 * limit)

    async def _pieces(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            event = await self.receive()
            if event["type"] == "http.disconnect":
                raise Gone
            piece: bytes = event.get("body", b"")
            size += len(piece)
            if size > limit:
                raise _too_large(limit, close=True)
            self._held.take(len(piece))
            self._body += len(piece)
            pieces.append(piece)
            if not event.get("more_body", False):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def present(self) -> Presence:
        """Cancels the body of an ``async with`` when the caller hangs up; raises :class:`Gone`."""
        offered = self.scope.get("extensions", {}).get(HANGUP, {})
        return Presence(self.receive, offered.get("hangup"))

    async def begin(self, status: int, content_type: bytes, headers: Headers = ()) -> None:
        """Send status and headers; pieces follow."""
        self.status = status
        given = [(b"content-type", content_type), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": given})

    async def write(self, piece: bytes) -> None:
        """Send a piece; waits while the caller reads too slowly."""
        if piece:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def finish(self) -> None:
        """The answer is complete."""
        self._over = True
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def answer(
        self, status: int, body: bytes, content_type: bytes = JSON, headers: Headers = ()
    ) -> None:
        """Send a whole answer."""
        length = (b"content-length", str(len(body)).encode())
        await self.begin(status, content_type, (length, *headers))
        self._over = True
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem; nothing may have been sent before."""
        await self.answer(problem.status, problem.body(), headers=problem.headers)

    def close(self) -> None:
        """The call is over, whatever became of it."""
        self._held.give_back(self._body)
        self._body = 0
        self.status = self.status or GONE


def _too_large(limit: int, *, close: bool) -> Problem:
    return Problem(
        413,
        f"The body is larger than {limit // (1024 * 1024)} MiB.",
        code="body_too_large",
        headers=((b"connection", b"close"),) if close else (),
    )
