"""The engine's slots and the bounded queue before them, the most urgent first.

llama.cpp queues without bound and in order of arrival, so no request reaches
it before one of its slots is free.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from clawdcore import BackendError, BackendUnavailable, Overloaded, Priority

from .rates import Rates


@dataclass(order=True, slots=True)
class _Waiter:
    priority: int
    arrival: int
    turn: asyncio.Future[None] = field(compare=False)


class Seats:
    """``slots`` requests run, ``queue`` wait; a further one is refused.

    When the queue is full, a request of a more urgent class takes the place of
    the last one of the least urgent class, which is refused instead.
    """

    def __init__(self, slots: int, queue: int, *, rates: Rates, clock: Callable[[], float]) -> None:
        self.slots = slots
        self.running = 0
        self._queue = queue
        self._rates = rates
        self._clock = clock
        self._waiting: list[_Waiter] = []
        self._arrivals = count()
        self._closed = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def taken(self, priority: Priority, deadline: float | None) -> AsyncIterator[None]:
        """Hold a slot; waits for one until ``deadline`` of the loop's clock.

        Raises:
            Overloaded: the queue is full, or the deadline passed in it.
            BackendUnavailable: the seats were closed.
        """
        await self._take(priority, deadline)
        self._rates.runs(self._clock(), self.running)
        try:
            yield
        finally:
            self._give()
            self._rates.runs(self._clock(), self.running)

    def close(self) -> None:
        """Refuse those who wait and all who come."""
        self._closed = True
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            _refuse(waiter, BackendUnavailable("llama.cpp is being stopped."))

    async def _take(self, priority: Priority, deadline: float | None) -> None:
        if self._closed:
            raise BackendUnavailable("llama.cpp is stopped.")
        if self.running < self.slots and not self._waiting:
            self.running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        waiter = _Waiter(priority, next(self._arrivals), turn)
        self._make_room(waiter)
        insort(self._waiting, waiter)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except TimeoutError:
            self._leave(waiter)
            raise self._overloaded("The deadline passed in the queue of llama.cpp") from None
        except BaseException:
            self._leave(waiter)
            raise

    def _make_room(self, newcomer: _Waiter) -> None:
        if len(self._waiting) < self._queue:
            return
        refused = self._overloaded("llama.cpp has all the work it takes")
        if not self._waiting or self._waiting[-1].priority <= newcomer.priority:
            raise refused
        _refuse(self._waiting.pop(), refused)

    def _leave(self, waiter: _Waiter) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.turn.done() and not waiter.turn.cancelled() and not waiter.turn.exception():
            self._give()  # its turn had come in the same moment

    def _give(self) -> None:
        self.running -= 1
        while self._waiting and self.running < self.slots:
            waiter = self._waiting.pop(0)
            if not waiter.turn.done():
                self.running += 1
                waiter.turn.set_result(None)

    def _overloaded(self, what: str) -> Overloaded:
        ahead = len(self._waiting) + 1
        return Overloaded(
            f"{what} (running: {self.running}, waiting: {self.waiting}).",
            retry_after=self._rates.seconds_until(self._clock(), ahead, self.slots),
            fix="Ask again later.",
        )


def _refuse(waiter: _Waiter, error: BackendError) -> None:
    if not waiter.turn.done():
        waiter.turn.set_exception(error)
