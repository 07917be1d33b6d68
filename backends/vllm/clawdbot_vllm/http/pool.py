"""The connections to all servers: kept while they may be of use, made when one is wanted."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Final, NamedTuple

from .connection import Connection, Response, Stale, Unreachable

CONNECT: Final = 5.0
"""Seconds for a connection to be made."""
KEEP_ALIVE: Final = 4.0
"""Seconds that an idle connection is kept; vLLM's server closes them after 5."""


class Origin(NamedTuple):
    """Where connections lead to; ``tls`` for https."""

    tls: bool
    host: str
    port: int


class Pool:
    """Made and closed inside a running loop. Without a bound: who calls bounds the calls."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle: dict[Origin, list[tuple[float, Connection]]] = {}
        self._origins: dict[Connection, Origin] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None
        self._closed = False
        self._empty: asyncio.Future[None] | None = None

    async def ask(self, origin: Origin, head: bytes, body: bytes, until: float) -> Response:
        """Send a request, on a connection that was kept if there is one.

        A server may close such a one just as it is used: then the request goes out once
        more on a new one (RFC 9112, 9.3.1; nothing of it can have been answered).

        Raises:
            HttpError: no answer began.
            TimeoutError: none did until then, in the loop's time.
        """
        kept = self._kept(origin)
        if kept is not None:
            with suppress(Stale):
                return await kept.ask(head, body, until)
        async with asyncio.timeout_at(until):
            connection = await self._connect(origin)
        return await connection.ask(head, body, until)

    async def close(self) -> None:
        """End all connections; what waits for them fails."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for connection in list(self._origins):
            connection.abort()
        if self._origins:  # each tells when it is gone, in one of the loop's next rounds
            self._empty = self._loop.create_future()
            await self._empty

    def _kept(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        oldest = self._loop.time() - KEEP_ALIVE
        while idle:
            since, connection = idle.pop()
            if since >= oldest and not connection.closed:
                return connection
            connection.abort()
        return None

    async def _connect(self, origin: Origin) -> Connection:
        if self._closed:
            raise Unreachable
        context = self._context() if origin.tls else None
        try:
            async with asyncio.timeout(CONNECT):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop, self._free, self._gone),
                    origin.host,
                    origin.port,
                    ssl=context,
                )
        except (OSError, ValueError):  # a timeout and what TLS says are OSErrors
            raise Unreachable from None
        if connection.closed or self._ended():
            connection.abort()
            raise Unreachable
        self._origins[connection] = origin
        return connection

    def _ended(self) -> bool:
        return self._closed

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _free(self, connection: Connection) -> None:
        """It may be used again."""
        if self._closed:
            connection.abort()
            return
        idle = self._idle.setdefault(self._origins[connection], [])
        idle.append((self._loop.time(), connection))
        if self._timer is None:
            self._timer = self._loop.call_later(KEEP_ALIVE, self._sweep)

    def _gone(self, connection: Connection) -> None:
        self._origins.pop(connection, None)
        if self._empty is not None and not self._origins and not self._empty.done():
            self._empty.set_result(None)

    def _sweep(self) -> None:
        """End what nobody has used for long."""
        self._timer = None
        oldest = self._loop.time() - KEEP_ALIVE
        for origin, idle in list(self._idle.items()):
            for since, connection in idle:
                if since <= oldest:
                    connection.abort()
            self._idle[origin] = left = [each for each in idle if not each[1].closed]
            if not left:
                del self._idle[origin]
        if self._idle:
            first = min(idle[0][0] for idle in self._idle.values())
            self._timer = self._loop.call_at(first + KEEP_ALIVE, self._sweep)
