"""``maxConcurrent``: how many messages are in plugins' hands at once.

Waiting for a model holds no seat: :meth:`Seats.lent` gives it back meanwhile. Who
is next is decided as for a model: by class, then by chat and sender, by the time
that each has had.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

import msgspec

from ..admission import gate
from ..admission.ask import Ask
from .origin import ORIGIN

MOST: Final = 100_000
"""Messages that wait for a seat at most; the edge hands over fewer."""
ANYBODY: Final = Ask()


def _now() -> float:
    return asyncio.get_running_loop().time()


class Seats:
    """A bound on concurrent work whose holders may step aside while they wait.

    ``budget`` is the seconds that a message has in all.
    """

    def __init__(self, limit: int, *, budget: float = math.inf) -> None:
        self.gate = gate.Gate("plugins", ceiling=limit, bound=MOST, budget=budget, clock=_now)
        self._mine: ContextVar[Seat | None] = ContextVar("seat", default=None)

    def taken(self, ask: Ask = ANYBODY) -> Seat:
        """Hold a seat for the body of an ``async with``.

        Raises, when entered:
            clawdcore.errors.Overloaded: as :meth:`clawdcore.admission.ask.Admission.seat`.
        """
        return Seat(self.gate, self._mine, ask)

    def close(self) -> None:
        """Stop looking at deadlines."""
        self.gate.close()

    @asynccontextmanager
    async def along(self, room: Seats, ask: Ask) -> AsyncIterator[None]:
        """Hold a seat of ``room`` too, for the body; whenever ours is lent, so is that one.

        Who waits for it lends ours meanwhile. Raises as :meth:`taken` does.
        """
        mine = self._mine.get()
        seat = room.taken(ask)
        try:
            if not seat.at_once():
                async with self.lent():
                    await seat.__aenter__()
            if mine is not None:
                mine.along = seat
            yield
        finally:
            if mine is not None:
                mine.along = None
            seat.give_up()

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


class Seat:
    """One message's seat. ``along`` is another that it holds, and lends, with this one."""

    __slots__ = (
        "_ask", "_coming_back", "_gate", "_held", "_mine", "_over", "_since", "_waits", "along",
    )  # fmt: skip

    def __init__(self, plugins: gate.Gate, mine: ContextVar[Seat | None], ask: Ask) -> None:
        self._gate = plugins
        self._mine = mine
        self._ask = ask
        self._held: gate.Seat | None = None
        self._since = 0.0
        self._over = False
        self._waits = 0
        self._coming_back = asyncio.Lock()
        self.along: Seat | None = None

    def at_once(self) -> bool:
        """Whether a seat is free, and now held."""
        seat = self._gate.seat(self._ask)
        if not seat.at_once():
            return False
        self._hold(seat)
        self._mine.set(self)
        return True

    async def __aenter__(self) -> None:
        self._hold(await self._gate.seat(self._ask).__aenter__())
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
        if self.along is not None:
            self.along.give_up()

    def step_aside(self) -> None:
        """One more of the message's waits begins."""
        self._waits += 1
        self._give_back()
        if self.along is not None:
            self.along.step_aside()

    async def come_back(self) -> None:
        """One of the waits is over. Cancelled meanwhile, the message goes on without."""
        self._waits -= 1
        if self.along is not None:
            await self.along.come_back()
        # Of several that come back at once only one waits for a seat. When it gets
        # one, another wait may have begun, or have broken off and taken one that was
        # free, or the message be over.
        async with self._coming_back:
            if not self._wanted() or self._held is not None:
                return
            seat = await self._gate.seat(self._again()).__aenter__()
            if self._wanted() and self._held is None:
                self._hold(seat)
            else:
                seat.release()

    def break_off(self) -> None:
        """One of the waits ended badly: as :meth:`come_back`, without waiting."""
        self._waits -= 1
        if self.along is not None:
            self.along.break_off()
        if self._wanted() and self._held is None:
            held = self._gate.seat(self._again())
            if held.at_once():
                self._hold(held)

    def _hold(self, seat: gate.Seat) -> None:
        self._held, self._since = seat, _now()

    def _again(self) -> Ask:
        """It has had its turn, and goes before those that have not; its time may have moved."""
        origin = ORIGIN.get()
        deadline = self._ask.deadline if origin is None else origin.ask.deadline
        return msgspec.structs.replace(self._ask, later=True, deadline=deadline)

    def _wanted(self) -> bool:
        return not (self._waits or self._over)

    def _give_back(self) -> None:
        if self._held is not None:
            # What a chat takes here is time: milliseconds stand for tokens.
            self._held.used(0, max(1, round(1000 * (_now() - self._since))))
            self._held.release()
            self._held = None
