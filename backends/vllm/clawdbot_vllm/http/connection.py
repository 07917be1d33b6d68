"""One connection to a server: a request at a time, its answer piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import httptools

HIGH: Final = 1 << 18
"""Bytes of a body that wait to be read; beyond, nothing more is taken from the network."""
LONGEST_HEAD: Final = 1 << 16
"""Bytes of an answer's status line and headers, as in nginx and aiohttp together."""
PASTED: Final = 1 << 16
"""Bytes of a body up to which it is copied behind its headers, to leave in one piece."""


class HttpError(Exception):
    """A request that got no whole answer. Never quotes what was sent or came."""


class Unreachable(HttpError):
    """No connection could be made."""


class Cut(HttpError):
    """The connection ended too early."""


class Stale(Cut):
    """A connection that had been kept ended before anything of an answer came."""


class Garbled(HttpError):
    """What came is no HTTP, or more of it than anybody sends."""


class Response:
    """An answer whose headers are here. ``headers`` have lower-case names; the last wins."""

    __slots__ = (
        "_connection",
        "_eof",
        "_error",
        "_parts",
        "_waiter",
        "_waits",
        "headers",
        "loop",
        "status",
    )

    def __init__(self, connection: Connection, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.loop = connection.loop
        self._connection: Connection | None = connection
        self._parts: list[bytes] = []
        self._waits = 0
        self._eof = False
        self._error: HttpError | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def content_type(self) -> str:
        """The media type without parameters, "" where it is not told."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def at_eof(self) -> bool:
        """Whether all of the body was read."""
        return self._eof and not self._parts

    def read_nowait(self) -> bytes:
        """What of the body is here already, b"" for nothing.

        Raises:
            HttpError: the rest will not come, and all before it was read.
        """
        if not self._parts:
            if self._error is not None:
                raise self._error
            return b""
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        self._waits = 0
        if self._connection is not None:
            self._connection.resume()
        return data

    async def read(self, until: float) -> bytes:
        """What comes next of the body, b"" at its end; ``until`` is the loop's time.

        Raises:
            HttpError: it ended too early.
            TimeoutError: nothing came until then.
        """
        while not self._parts and not self._eof:
            if self._error is not None:
                raise self._error
            self._waiter = self.loop.create_future()
            # Not asyncio.timeout, which costs three times as much, thousands of times a second.
            timer = self.loop.call_at(until, _late, self._waiter)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        return self.read_nowait()

    def close(self) -> None:
        """Want no more of it: ends the connection where the answer isn't over."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    # ---- what the connection does ----

    def came(self, data: bytes) -> bool:
        """More of the body; whether so much waits now that no more should come."""
        self._parts.append(data)
        self._waits += len(data)
        self._wake()
        return self._waits >= HIGH

    def ended(self, error: HttpError | None = None) -> None:
        """The body is over, or broke."""
        self._connection = None
        self._error = error
        self._eof = error is None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """``free`` is told when another request may be sent, ``gone`` when none can any more."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        free: Callable[[Connection], None],
        gone: Callable[[Connection], None],
    ) -> None:
        self.loop = loop
        self._free = free
        self._gone = gone
        self._parser = httptools.HttpResponseParser(self)
        self._head: asyncio.Future[Response] | None = None
        self._response: Response | None = None
        self._headers: dict[str, str] = {}
        self._size = 0
        self._asked = 0
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self.closed = False

    async def ask(self, head: bytes, body: bytes, until: float) -> Response:
        """Send a request; the answer once its headers are here. Cancelled, it ends the connection.

        Raises:
            HttpError: no answer began.
            TimeoutError: none did until then, in the loop's time.
        """
        if self._transport is None or self.closed:
            raise Stale
        self._asked += 1
        self._headers = {}
        head_came: asyncio.Future[Response] = self.loop.create_future()
        self._head = head_came
        timer = self.loop.call_at(until, _late, head_came)
        if len(body) <= PASTED:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        try:
            return await head_came
        except (asyncio.CancelledError, TimeoutError):
            if head_came.cancelled() or head_came.exception() is not None:
                self.abort()
            else:  # it came in the same moment, and somebody else may use us already
                head_came.result().close()
            raise
        finally:
            timer.cancel()

    def resume(self) -> None:
        """What had come was read: take more."""
        if self._paused and self._transport is not None and not self.closed:
            self._paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        """End it at once, whatever is under way."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    # ---- what the transport says ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._response is None:
            self._size += len(data)
        try:
            if self._head is None and self._response is None:
                raise Garbled  # nobody asked
            self._parser.feed_data(data)
            if self._head is not None and self._size > LONGEST_HEAD:
                raise Garbled
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, Garbled):
            self._fail(Garbled())
            self.abort()

    def eof_received(self) -> bool:
        return False  # connection_lost follows

    def connection_lost(self, error: Exception | None) -> None:
        ours, self.closed = self.closed, True
        response = self._response
        if response is not None and not (error or ours) and _till_the_end(response.headers):
            self._response = None
            response.ended()
        else:
            kept = self._asked > 1 and self._response is None and not self._size
            self._fail(Stale() if kept else Cut())
        self._gone(self)

    # ---- what the parser says ----

    def on_message_begin(self) -> None:
        if self._head is None:
            raise Garbled  # a second answer

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._response is None:  # else a trailer
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer; the real one follows
            self._headers = {}
            return
        head, self._head = self._head, None
        if head is None or head.done():
            raise Garbled  # whoever asked is gone
        self._response = Response(self, status, self._headers)
        head.set_result(self._response)

    def on_body(self, data: bytes) -> None:
        if self._response is not None and self._response.came(data) and not self._paused:
            assert self._transport is not None
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        response, self._response = self._response, None
        if response is None:
            return  # an interim answer
        response.ended()
        assert self._transport is not None
        unsent = self._transport.get_write_buffer_size()
        if self.closed or unsent or not self._parser.should_keep_alive():
            self.abort()
            return
        self.resume()
        self._size = 0
        self._free(self)

    def _fail(self, error: HttpError) -> None:
        head, self._head = self._head, None
        if head is not None and not head.done():
            head.set_exception(error)
        response, self._response = self._response, None
        if response is not None:
            response.ended(error)


def _late(future: asyncio.Future[Any]) -> None:
    """It is not waited for any longer."""
    if not future.done():
        future.set_exception(TimeoutError())


def _till_the_end(headers: dict[str, str]) -> bool:
    """Whether a body ends with its connection (RFC 9112, 6.3)."""
    return "content-length" not in headers and "transfer-encoding" not in headers
