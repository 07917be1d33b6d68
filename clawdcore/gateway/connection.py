"""One connection: uvicorn's, with bounds on heads, on time, and on who never reads."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .corked import Corked
from .presence import HANGUP, Hangup
from .problems import Problem

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of a call's first line and headers."""
HEAD_TIME: Final = 10.0
"""Seconds from a call's first byte, or from the connection, to the end of its headers."""
UNREAD_TIME: Final = 60.0
"""Seconds for which a caller may leave an answer unread, once buffers are full."""
LINGER: Final = 5.0
"""Seconds that a closing connection may take to hand over what is left."""
LAST_CALL: Final = 0.5
"""Seconds in which a connection that waits may still bring a call, once the server drains:
one that is on its way would be lost with it, and its caller couldn't tell."""
CLOSE: Final = (b"connection", b"close")
"""As if the caller had asked for it: uvicorn then says it in the answer, and does it."""


class Connection(HttpToolsProtocol):
    """A connection that can't be held by saying little, or by reading nothing."""

    connections_limit = 4096
    """Connections at once; subclasses set their own."""
    leaving = False
    """The server drains: answers close their connections; subclasses set their own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_size = 0
        self._raw_size = 0
        self._in_head = True
        self._hangup = Hangup()
        self._refusal: Problem | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As :class:`asyncio.Protocol`."""
        super().connection_made(transport)
        self.transport = Corked(transport, self.loop)
        if len(self.connections) > self.connections_limit:
            self._refuse(Problem(503, "Too many connections.", code="overloaded", retry_after=1.0))
        else:
            self._await_head()
            if self.leaving:
                self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """As :class:`asyncio.Protocol`."""
        for timer in (self._head_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        self._hangup.happen()

    def data_received(self, data: bytes) -> None:
        """As :class:`asyncio.Protocol`."""
        if self.transport.is_closing():
            return
        waited = self._in_head
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._in_head:
            self._await_call()
            return
        # The parser keeps a header back until it is whole, so its bytes are counted here.
        self._raw_size += len(data) if waited else 0
        if self._raw_size > HEAD_LIMIT:
            self._refuse(_too_large())
        elif self._head_timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """As the parser calls it."""
        super().on_message_begin()
        self.scope["extensions"] = {HANGUP: {"hangup": self._hangup}}
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """As the parser calls it."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """As the parser calls it."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """As the parser calls it."""
        self._in_head = False
        self._head_size = self._raw_size = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if self.leaving:
            self.headers.append(CLOSE)
        super().on_headers_complete()
        if self.leaving:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """As uvicorn calls it when it stops; a call that is on its way is still answered."""
        if not self._idle:
            self.headers.append(CLOSE)
            super().shutdown()
            return
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.timeout_keep_alive_task = self.loop.call_later(LAST_CALL, self._last_called)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says to heads that can't be read, in our shape."""
        self._refuse(self._refusal or Problem(400, "This is not HTTP/1.1.", code="invalid_http"))

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that nobody serves is no upgrade; uvicorn would log each."""

    def pause_writing(self) -> None:
        """As :class:`asyncio.Protocol`."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(UNREAD_TIME, self.transport.abort)

    def resume_writing(self) -> None:
        """As :class:`asyncio.Protocol`."""
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """As uvicorn calls it when nothing came for a while."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(LINGER, self.transport.abort)

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            self._refusal = _too_large()
            raise httptools.HttpParserError("the head is too large")

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIME, self._too_slow)

    @property
    def _idle(self) -> bool:
        """Whether no call is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def _last_called(self) -> None:
        """Close, if no call has begun meanwhile; one that has is answered, or takes too long."""
        if self._idle and not self._head_size and not self._raw_size:
            self.timeout_keep_alive_handler()

    def _await_call(self) -> None:
        """Bytes that belong to no call must not keep an idle connection open."""
        used = self.scope is not None
        if used and self._idle and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _too_slow(self) -> None:
        self._head_timer = None
        self._refuse(Problem(408, f"No call came within {HEAD_TIME:g} s.", code="timeout"))

    def _refuse(self, problem: Problem) -> None:
        """Answer without any application, and close."""
        if self.transport.is_closing():
            return
        if self._idle:
            body = problem.body()
            head = [
                f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n".encode(),
                b"content-type: application/json\r\nconnection: close\r\n",
                b"content-length: %d\r\n" % len(body),
                *(b"%s: %s\r\n" % header for header in problem.headers),
            ]
            self.transport.write(b"".join((*head, b"\r\n", body)))
        self.transport.close()
        self.loop.call_later(LINGER, self.transport.abort)


def _too_large() -> Problem:
    return Problem(431, f"The head is larger than {HEAD_LIMIT // 1024} KiB.", code="head_too_large")
