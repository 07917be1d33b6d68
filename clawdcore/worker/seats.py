"""``maxConcurrent``: how many messages are in plugins' hands at once.

Waiting for a model holds no seat: :meth:`Seats.lent` gives it back meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar, Token


class Seats:
    """A bound on concurrent work whose holders may step aside while they wait."""

    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)
        self._mine: ContextVar[_Seat | None] = ContextVar("seat", default=None)

    def taken(self) -> _Seat:
        """Hold a seat for the body of an ``async with``."""
        return _Seat(self._free, self._mine)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Give the seat back for the body, and take one again after it.

        Does nothing outside :meth:`taken`. Nested and parallel waits of one
        message give its single seat back once, and take it again when the last
        of them is over.
        """
        seat = self._mine.get()
        if seat is None:
            yield
            return
        seat.step_aside()
        try:
            yield
        finally:
            await seat.come_back()


class _Seat:
    """One message's seat."""

    __slots__ = ("_coming_back", "_free", "_held", "_mine", "_over", "_token", "_waits")

    def __init__(self, free: asyncio.Semaphore, mine: ContextVar[_Seat | None]) -> None:
        self._free = free
        self._mine = mine
        self._held = False
        self._over = False
        self._waits = 0
        self._coming_back = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._free.acquire()
        self._held = True
        self._token: Token[_Seat | None] = self._mine.set(self)

    async def __aexit__(self, *_: object) -> None:
        self._mine.reset(self._token)
        self._over = True
        self._give_back()

    def step_aside(self) -> None:
        """One more of the message's waits begins."""
        self._waits += 1
        self._give_back()

    async def come_back(self) -> None:
        """One of the waits is over. Cancelled meanwhile, the message goes on without."""
        self._waits -= 1
        # Of several that come back at once only one waits for a seat. When it
        # gets one, another wait may have begun, or the message be over.
        async with self._coming_back:
            if self._wanted() and not self._held:
                await self._free.acquire()
                self._held = True
                if not self._wanted():
                    self._give_back()

    def _wanted(self) -> bool:
        return not (self._waits or self._over)

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._free.release()
