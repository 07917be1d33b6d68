"""``maxConcurrent``: how many messages are in plugins' hands at once.

Waiting for a model holds no seat: :meth:`Seats.lent` gives it back meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar


class Seats:
    """A bound on concurrent work whose holders may step aside while they wait."""

    def __init__(self, limit: int) -> None:
        self._free = _Free(limit)
        self._mine: ContextVar[Seat | None] = ContextVar("seat", default=None)

    def taken(self) -> Seat:
        """Hold a seat for the body of an ``async with``."""
        return Seat(self._free, self._mine)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Give the seat back for the body, and take one again after it.

        Does nothing outside :meth:`taken`. Nested and parallel waits of one
        message give its single seat back once, and take it again when the last
        of them is over. Left by an error or a cancellation it takes one only
        if one is free at once: what is ending must not queue to say so.
        """
        seat = self._mine.get()
        if seat is None:
            yield
            return
        seat.step_aside()
        try:
            yield
        except BaseException:
            seat.break_off()
            raise
        await seat.come_back()


class _Free(asyncio.Semaphore):
    """The seats that nobody holds."""

    def take_now(self) -> bool:
        """Take one if that needs no waiting."""
        if self.locked():
            return False
        self._value -= 1
        return True


class Seat:
    """One message's seat."""

    __slots__ = ("_coming_back", "_free", "_held", "_mine", "_over", "_waits")

    def __init__(self, free: _Free, mine: ContextVar[Seat | None]) -> None:
        self._free = free
        self._mine = mine
        self._held = False
        self._over = False
        self._waits = 0
        self._coming_back = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._free.acquire()
        self._held = True
        self._mine.set(self)

    async def __aexit__(self, *_: object) -> None:
        self.give_up()

    @property
    def waiting(self) -> bool:
        """Whether the message waits for something, so that others work meanwhile."""
        return self._waits > 0

    def give_up(self) -> None:
        """The message is over; harmless twice, and in whatever task or context."""
        self._mine.set(None)
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

    def break_off(self) -> None:
        """One of the waits ended badly: as :meth:`come_back`, without waiting."""
        self._waits -= 1
        if self._wanted() and not self._held and self._free.take_now():
            self._held = True

    def _wanted(self) -> bool:
        return not (self._waits or self._over)

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._free.release()
