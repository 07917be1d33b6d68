"""``maxConcurrent``: how many messages are in plugins' hands at once.

Waiting for a model holds no seat: :meth:`Seats.lent` gives it back meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar


class _Seat:
    """One message's seat; ``lent`` counts the waits that gave it back."""

    __slots__ = ("lent",)

    def __init__(self) -> None:
        self.lent = 0


class Seats:
    """A bound on concurrent work whose holders may step aside while they wait."""

    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)
        self._mine: ContextVar[_Seat | None] = ContextVar("seat", default=None)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold a seat for the body."""
        await self._free.acquire()
        seat = _Seat()
        token = self._mine.set(seat)
        try:
            yield
        finally:
            self._mine.reset(token)
            if not seat.lent:
                self._free.release()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Give the seat back for the body, and take one again after it.

        Does nothing outside :meth:`taken`. Nested and parallel waits of one
        message give its single seat back once.
        """
        seat = self._mine.get()
        if seat is None:
            yield
            return
        seat.lent += 1
        if seat.lent == 1:
            self._free.release()
        try:
            yield
        finally:
            if seat.lent == 1:
                # The message is cancelled while it waits here: it then leaves
                # `taken` as lent, and gives nothing back twice.
                await self._free.acquire()
            seat.lent -= 1
