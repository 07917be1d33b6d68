"""The queue in front of a model server, for tasks: wait for a seat, hold it, give it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final

from ..backend import Load, Priority
from ..errors import Overloaded, TooLate
from ..vitals import CLASSES, Queue
from .ask import Ask
from .lane import Waiter
from .queue import AdmissionQueue, Reason, Refusal, Running

SOON: Final = 1.0
"""Seconds; nobody is told to come back earlier."""
WHY: Final[dict[Reason, str]] = {
    "full": "too many requests wait already.",
    "late": "it can't be done before its deadline.",
    "slow": "everybody waits too long.",
    "closed": "such requests are not taken now.",
    "withdrawn": "it was taken back.",
}


class Gate:
    """Implements :class:`~clawdcore.admission.ask.Admission` over an :class:`AdmissionQueue`.

    ``ceiling`` is the most that ``limit`` may become; ``clock`` gives the running
    loop's seconds.
    """

    def __init__(
        self,
        server: str,
        *,
        ceiling: int,
        bound: int,
        budget: float,
        clock: Callable[[], float],
    ) -> None:
        self.server = server
        self.ceiling = ceiling
        self.joined = 0
        self.load: Load | None = None
        self.queue = AdmissionQueue(limit=ceiling, bound=bound, budget=budget)
        self._clock = clock
        self._waiting: dict[int, asyncio.Future[Running]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def seat(self, ask: Ask) -> Seat:
        """As :meth:`Admission.seat`."""
        return Seat(self, ask)

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self.queue.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        more = limit > self.queue.limit
        self.queue.limit = limit
        if more:
            self._admit()

    def close_to(self, lowest: Priority) -> None:
        """Take no class below ``lowest`` from now on; who waits already keeps its place."""
        self.queue.lowest = lowest

    def vitals(self) -> Queue:
        """As :meth:`Admission.vitals`."""
        queue = self.queue
        load = self.load
        return Queue(
            server=self.server,
            limit=queue.limit,
            ceiling=self.ceiling,
            bound=queue.bound,
            running=queue.running,
            waiting={name: queue.waiting_by(p) for name, p in zip(CLASSES, Priority, strict=True)},
            accepted=queue.books.accepted,
            finished=queue.books.finished,
            refused={str(reason): count for reason, count in queue.books.refused.items()},
            joined=self.joined,
            eta=queue.eta(Priority.DIRECT, self._clock()),
            wait=queue.wait,
            tokens_per_second=load.tokens_per_second if load is not None else None,
            cache_use=load.cache_use if load is not None else None,
            replicas=load.replicas if load is not None else (),
        )

    # ---- what seats do ----

    def enter(self, ask: Ask) -> tuple[Waiter, asyncio.Future[Running]]:
        """Stand in line. The future gives the seat, or raises as :meth:`seat` does."""
        waiter, refused = self.queue.offer(ask, self._clock())
        future: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
        self._waiting[waiter.number] = future
        self._refuse(refused)
        self._admit()
        return waiter, future

    def leave(self, running: Running) -> None:
        """A seat is free."""
        self.queue.finish(running, self._clock())
        self._admit()

    def withdraw(self, waiter: Waiter) -> None:
        """Whoever waited waits no more."""
        self._waiting.pop(waiter.number, None)
        self.queue.withdraw(waiter)
        self._remind()

    def _admit(self) -> None:
        """Give out every seat that may be given out."""
        now = self._clock()
        while True:
            running, refused = self.queue.next(now)
            self._refuse(refused)
            if running is None:
                break
            future = self._waiting.pop(running.waiter.number)
            if future.cancelled():  # its task was cancelled, and does not know it yet
                self.queue.finish(running, now)
            else:
                future.set_result(running)
        self._remind()

    def _refuse(self, refused: Iterable[Refusal]) -> None:
        for refusal in refused:
            future = self._waiting.pop(refusal.waiter.number)
            if not future.cancelled():
                future.set_exception(_error(self.server, refusal))

    def _expire(self) -> None:
        self._timer = None
        self._refuse(self.queue.expire(self._clock()))
        self._admit()

    def _remind(self) -> None:
        """Look again when the next deadline comes."""
        due = self.queue.next_deadline()
        if self._timer is not None:
            if due is not None and self._timer.when() <= due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None and self._waiting:
            self._timer = asyncio.get_running_loop().call_at(due, self._expire)

    def close(self) -> None:
        """Nobody is told when their deadline comes any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Seat:
    """One request's way through the gate: ``async with gate.seat(ask) as ticket``."""

    __slots__ = ("_future", "_gate", "_running", "ask", "waiter")

    def __init__(self, gate: Gate, ask: Ask) -> None:
        self._gate = gate
        self.ask = ask
        self.waiter: Waiter | None = None
        self._running: Running | None = None
        self._future: asyncio.Future[Running] | None = None

    async def __aenter__(self) -> Seat:
        self.waiter, self._future = self._gate.enter(self.ask)
        try:
            self._running = await self._future
        except asyncio.CancelledError:
            if self._future.cancelled():
                self._gate.withdraw(self.waiter)
            elif self._future.exception() is None:  # its turn came in the same moment
                self._gate.leave(self._future.result())
            raise
        finally:
            self._future = None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def at_once(self) -> bool:
        """Take the seat if that needs no waiting."""
        if self._gate.queue.running >= self._gate.limit:
            return False
        waiter, future = self._gate.enter(self.ask)
        if not future.done():
            self._gate.withdraw(waiter)
            future.cancel()
        elif future.exception() is None:
            self._running = future.result()
        return self._running is not None

    def release(self) -> None:
        """Give the seat back; harmless without one."""
        if self._running is not None:
            self._gate.leave(self._running)
            self._running = None

    @property
    def waited(self) -> float:
        """As :attr:`Ticket.waited`."""
        if self._running is None:
            return 0.0
        return self._running.started - self._running.waiter.since

    def used(self, prompt_tokens: int, output_tokens: int) -> None:
        """As :meth:`Ticket.used`."""
        if self._running is not None:
            self._gate.queue.used(self._running, prompt_tokens, output_tokens)

    def place(self) -> tuple[int, float] | None:
        """Its number in line and the seconds that it will still wait; None once it has a seat."""
        if self._future is None or self.waiter is None or self._future.done():
            return None
        return self._gate.queue.place(self.waiter)


def _error(server: str, refusal: Refusal) -> Overloaded:
    kind = TooLate if refusal.reason == "late" else Overloaded
    return kind(f"{server}: {WHY[refusal.reason]}", retry_after=max(SOON, refusal.retry_after))
