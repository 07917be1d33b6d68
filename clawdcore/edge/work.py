"""Which update a worker gets next, and what a worker's death means; pure, time is a parameter.

Every update stays here from its acceptance until it is settled. Workers are
numbered; at most two hold updates at once, while one takes over from the other,
and then no chat's updates are with both.

After a crash the updates that had been started are suspects: each is tried with
nothing else in the worker for up to :data:`TRIAL` seconds. One that brings a
worker down alone, twice, is poison. A worker that somebody killed proves nothing.

Where it is seen whose code brought the worker down, the others are no suspects and go
on at once; what that plugin had comes :data:`LATER`, when they are answered.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

import msgspec

from ..broker import Outcome
from ..messages import Content
from .heads import Head

WINDOW: Final = 1000
"""Updates that a worker has and is not done with."""
TRIAL: Final = 5.0
"""Seconds alone after which a suspect no longer keeps the others waiting."""
LATER: Final = 1.0
"""Seconds that a new worker has for the innocent before it gets what is known to be dangerous."""
POISON: Final = 2
"""Crashes alone that make an update poison."""


class Death(Enum):
    """How a worker ended."""

    CRASHED = "crashed"
    """By itself, or through what it ran: a segmentation fault, an error, no memory."""
    STALLED = "stalled"
    """Its event loop stood still, so that the edge ended it."""
    KILLED = "killed"
    """Somebody ended it; no update is to blame."""


class Held(Content, msgspec.Struct, kw_only=True):
    """An accepted update. ``order`` is that of acceptance, ``worker`` 0 while nobody has it.

    ``sending`` are replies that are not out yet; ``replied`` whether the worker
    has handed one over, and ``noticed`` whether that was a notice. ``outcome`` is
    set once the worker is done. ``together`` are updates for which this one's
    notice speaks; ``size`` is the room that it still takes, in bytes, None for none.
    """

    id: int
    head: Head
    body: bytes = b""
    order: int = 0
    worker: int = 0
    attempt: int = 1
    started: bool = False
    plugin: str = ""
    crashes: int = 0
    sending: int = 0
    replied: bool = False
    noticed: bool = False
    outcome: Outcome | None = None
    together: tuple[int, ...] = ()
    size: int | None = None


class Loss(msgspec.Struct, frozen=True):
    """What a worker's death leaves to do.

    ``finished`` had handed their reply over; ``again`` go to the next worker,
    ``poison`` to none;
    ``culprit`` is the plugin that brought the worker down, "" where that isn't sure.
    """

    finished: tuple[Held, ...] = ()
    again: tuple[Held, ...] = ()
    poison: tuple[Held, ...] = ()
    culprit: str = ""


class Work:
    """The updates that are open, and who has them."""

    def __init__(self, *, window: int = WINDOW) -> None:
        self._window = window
        self._order = 0
        self._open: dict[int, Held] = {}
        self._waiting: deque[Held] = deque()
        self._suspects: deque[Held] = deque()
        self._parked: dict[int, deque[Held]] = {}
        self._given: dict[int, dict[int, Held]] = {}
        self._trial: Held | None = None
        self._trial_ends = 0.0
        self._dangerous: deque[Held] = deque()
        self._dangerous_from: float | None = None
        self.worker = 0
        """The worker that gets what is next; 0 for none."""

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, update: int) -> bool:
        return update in self._open

    def get(self, update: int) -> Held | None:
        """The open update of this id."""
        return self._open.get(update)

    def add(self, held: Held, *, wait: bool = True) -> None:
        """Open an update; with ``wait`` False no worker gets it."""
        self._order += 1
        held.order = self._order
        self._open[held.id] = held
        if wait:
            self._waiting.append(held)

    def attach(self, worker: int) -> None:
        """From now on ``worker`` gets what is next; the one before keeps what it has."""
        self.worker = worker
        self._dangerous_from = None
        self._given.setdefault(worker, {})

    def detach(self) -> None:
        """Nobody gets anything for now."""
        self.worker = 0

    def holds(self, worker: int) -> int:
        """How many updates ``worker`` is not done with."""
        return len(self._given.get(worker, ()))

    def next(self, now: float) -> Held | None:
        """Give the next update to the present worker; None where it gets none now."""
        mine = self._given.get(self.worker)
        if mine is None or len(mine) >= self._window:
            return None
        if self._trial is not None:
            if now < self._trial_ends:
                return None
            self._trial = None
        if self._suspects:
            self._trial = self._suspects.popleft()
            self._trial_ends = now + TRIAL
            return self._give(self._trial, mine)
        if self._dangerous:
            if self._dangerous_from is None:
                self._dangerous_from = now + LATER
            if now >= self._dangerous_from:
                return self._give(self._dangerous.popleft(), mine)
        while self._waiting:
            held = self._waiting.popleft()
            if not self._elsewhere(held.head.chat):
                return self._give(held, mine)
            self._parked.setdefault(held.head.chat, deque()).append(held)
        return None

    def ask_again(self) -> float | None:
        """When to ask for the next one again, if a trial, or its danger, holds it up."""
        if self._trial is not None:
            return self._trial_ends
        return self._dangerous_from if self._dangerous else None

    def _give(self, held: Held, mine: dict[int, Held]) -> Held:
        held.worker = self.worker
        mine[held.id] = held
        return held

    def _elsewhere(self, chat: int) -> bool:
        """Whether another worker still has updates of ``chat``."""
        if len(self._given) < 2 or not chat:
            return False
        return any(
            held.head.chat == chat
            for worker, given in self._given.items()
            if worker != self.worker
            for held in given.values()
        )

    def started(self, update: int, plugin: str) -> Held | None:
        """A worker began to work on ``update``, now in ``plugin``."""
        held = self._open.get(update)
        if held is None or not held.worker:
            return None
        held.started = True
        held.plugin = plugin or held.plugin
        return held

    def done(self, update: int, outcome: Outcome) -> Held | None:
        """The worker has handed over all there is for ``update``."""
        held = self._open.get(update)
        if held is None or held.outcome is not None:
            return None
        held.outcome = outcome
        held.body = b""
        self._release(held)
        return held

    def _release(self, held: Held) -> None:
        worker = held.worker
        self._given.get(worker, {}).pop(held.id, None)
        held.worker = 0
        if self._trial is held:
            self._trial = None
        if worker != self.worker:
            self._unpark(held.head.chat)

    def _unpark(self, chat: int) -> None:
        """Let a chat's updates go on, in order, once no other worker has any of it."""
        if chat in self._parked and not self._elsewhere(chat):
            self._again(self._parked.pop(chat))

    def _again(self, several: deque[Held] | list[Held]) -> None:
        """Put updates back into the line, where they were by their order."""
        self._waiting = deque(sorted([*several, *self._waiting], key=_order))

    def close(self, update: int) -> None:
        """An update is settled."""
        held = self._open.pop(update)
        self._release(held)

    def died(self, worker: int, how: Death, seen: str = "") -> Loss:
        """``worker`` is no more; what it had goes to the next one.

        ``seen`` is the plugin whose code brought it down, where that was seen.
        """
        lost = sorted(self._given.pop(worker, {}).values(), key=_order)
        if self.worker == worker:
            self.worker = 0
        for held in lost:
            held.worker = 0
        finished = tuple(held for held in lost if held.replied)
        for held in finished:
            held.outcome = Outcome.NOTICED if held.noticed else Outcome.ANSWERED
            held.body = b""
        lost = [held for held in lost if not held.replied]
        started = [held for held in lost if held.started]
        for held in started:
            held.attempt += 1
            held.started = False
        if self._trial in lost:
            self._trial = None
        again = tuple(lost)
        poison: list[Held] = []
        culprit = ""
        if how is not Death.KILLED:
            suspects = [held for held in started if not seen or held.plugin == seen]
            culprit = seen
            if len(suspects) == 1:
                culprit = suspects[0].plugin
                suspects[0].crashes += 1
                if suspects[0].crashes >= POISON:
                    poison = suspects
            lost = [held for held in lost if held not in suspects]
            suspects = [held for held in suspects if held not in poison]
            if seen:
                self._dangerous = deque(sorted([*suspects, *self._dangerous], key=_order))
            else:
                self._suspects = deque(sorted([*suspects, *self._suspects], key=_order))
        self._again(lost)
        for chat in list(self._parked):
            self._unpark(chat)
        again = tuple(held for held in again if held not in poison)
        return Loss(finished, again, tuple(poison), culprit)


def _order(held: Held) -> int:
    return held.order
