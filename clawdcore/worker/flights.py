"""The same work once: identical requests in flight share one generation.

Whoever comes late gets what was streamed already, then the rest as it comes. One
asker's end leaves the others'; when the last is gone the work is given up. The
key is a keyed hash, so that nobody can make two requests collide; answers stay in
memory for seconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

import msgspec

from ..admission.gate import Seat
from ..backend import Chunk, Request
from .guard import GRACE

KEPT: Final = 5.0
"""Seconds that a whole answer is still given to who asks for the same."""
MOST: Final = 512
"""Flights at once, those that are over included; beyond, everybody flies alone."""

Start = Callable[[list[Seat]], AsyncGenerator[Chunk, None]]
"""Begins a generation; it puts the seats that it waits for into the list."""
Ride = tuple[AsyncGenerator[Chunk, None], list[Seat]]


class _Flight:
    """One generation and those who ride on it."""

    def __init__(self, start: Start) -> None:
        self.chunks: list[Chunk] = []
        self.waits: list[Seat] = []
        self.error: BaseException | None = None
        self.over = False
        self.riders = 0
        self._more = asyncio.Event()
        self.task = asyncio.create_task(self._fly(start))

    async def _fly(self, start: Start) -> None:
        try:
            async with aclosing(start(self.waits)) as chunks:
                async for chunk in chunks:
                    self.chunks.append(chunk)
                    self._tell()
        except asyncio.CancelledError as error:
            self.error = error
            raise
        except Exception as error:  # noqa: BLE001 - it is every rider's, and raised there
            self.error = error
        finally:
            self.over = True
            self._tell()

    def _tell(self) -> None:
        self._more.set()
        self._more = asyncio.Event()

    async def ride(self) -> AsyncGenerator[Chunk, None]:
        """All chunks, from the first on."""
        self.riders += 1
        given = 0
        try:
            while True:
                while given < len(self.chunks):
                    given += 1
                    yield self.chunks[given - 1]
                if self.over:
                    break
                await self._more.wait()
            if self.error is not None:
                raise self.error
        finally:
            self.riders -= 1
            if not self.riders and not self.over:
                self.task.cancel()
                await asyncio.wait({self.task}, timeout=GRACE)


class Flights:
    """All flights of one worker."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._flights: dict[bytes, _Flight] = {}
        self._timers: dict[bytes, asyncio.TimerHandle] = {}

    def key(self, request: Request, *more: object) -> bytes:
        """What two requests must have in common to share a generation."""
        asked = (
            request.turns,
            request.model,
            request.max_tokens,
            request.temperature,
            request.stop,
            request.tools,
            request.tool_choice,
            request.schema,
            *more,
        )
        encoded = msgspec.msgpack.encode(asked)
        return hashlib.blake2b(encoded, key=self._secret, digest_size=32).digest()

    def __contains__(self, key: bytes) -> bool:
        """Whether one who asks with this key now would join somebody."""
        flight = self._flights.get(key)
        return flight is not None and not flight.task.cancelling()

    def join(self, key: bytes, start: Start) -> Ride:
        """The chunks of the flight with this key, and the seats that it waits for.

        ``start`` begins it where there is none.
        """
        flight = self._flights.get(key) if key in self else None
        if flight is None:
            if len(self._flights) >= MOST:
                waits: list[Seat] = []
                return start(waits), waits
            flight = self._flights[key] = _Flight(start)
            flight.task.add_done_callback(lambda _: self._over(key, flight))
        return flight.ride(), flight.waits

    def _over(self, key: bytes, flight: _Flight) -> None:
        """An answer is kept for a while; a failure is nobody else's."""
        if self._flights.get(key) is not flight:
            return
        if flight.error is not None:
            del self._flights[key]
        else:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(KEPT, self._forget, key)

    def _forget(self, key: bytes) -> None:
        del self._flights[key]
        del self._timers[key]

    async def close(self) -> None:
        """Give up all flights, and forget all answers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        flying = {flight.task for flight in self._flights.values() if not flight.over}
        self._flights.clear()
        for task in flying:
            task.cancel()
        if flying:
            await asyncio.wait(flying, timeout=GRACE)
