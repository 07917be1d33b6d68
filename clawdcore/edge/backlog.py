"""What came while the bot was away for long: one notice a chat in place of late answers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ..broker import Outcome
from . import words
from .work import Held

GATHER: Final = 1.0
"""Seconds without another one after which the notices go out."""
TOLD: Final = 3600.0
"""Seconds in which a chat is told once."""
CHATS: Final = 10_000
"""Chats that are remembered to have been told."""

Settle = Callable[[Held, Outcome], None]
Say = Callable[[Held, str], None]


class Backlog:
    """Gathers late updates by chat. ``age`` is in seconds, 0 for no limit."""

    def __init__(self, age: float, *, settle: Settle, say: Say) -> None:
        self._age = age
        self._settle = settle
        self._say = say
        self._late: dict[tuple[int, int | None], list[Held]] = {}
        self._told: OrderedDict[tuple[int, int | None], float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def late(self, held: Held, now: float) -> bool:
        """Whether ``held`` is too old to answer at ``now``, in seconds since the epoch."""
        written = held.head.time
        return bool(self._age and written) and now - written > self._age

    def take(self, held: Held, now: float) -> None:
        """See a late update to its outcome."""
        if not held.head.wanted or held.head.edited:
            self._settle(held, Outcome.UNADDRESSED)
            return
        key = held.head.chat, held.head.topic
        told = self._told.get(key)
        if told is not None and now - told < TOLD:
            self._settle(held, Outcome.NOTICED)
            return
        self._late.setdefault(key, []).append(held)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(GATHER, self._tell, now)

    def flush(self, now: float) -> None:
        """Tell at once what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell(now)

    def _tell(self, now: float) -> None:
        self._timer = None
        late, self._late = self._late, {}
        for key, several in late.items():
            last = several[-1]
            last.together = tuple(held.id for held in several[:-1])
            self._say(last, words.stale(len(several), last.head.language))
            self._told[key] = now
            self._told.move_to_end(key)
            while len(self._told) > CHATS:
                self._told.popitem(last=False)
