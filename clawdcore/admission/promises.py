"""Times at which those who were refused may come back, and be let in. Pure.

An estimate alone would be a lie: all who were refused would come back at the same
moment, and find the line as full as before. So each is given a time of its own,
paced so that those who come back take at most half of what the server can do, and
whoever comes at that time or soon after it is let in, and goes first.

Most of that is for those who have no promise yet: who was refused once does not
come after somebody's thousand, nor do such a one's promises hold up the line. And
nobody's own promises are closer together than its fair portion, or flooding would
be a way to the front. Who holds several must come with one of the requests that
were refused, known by its size: else what a chat sends anew would use up what its
refused ones were told.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

SHARE: Final = 0.5
"""How much of the server's rate is promised."""
FURTHER: Final = 0.125
"""How much of the server's rate, within that, for those who hold a promise already."""
GRACE: Final = 60.0
"""Seconds that a promise is good for, once its time has come; or as long as the wait was."""
MOST: Final = 10_000
"""So many promises are held, half of them to who holds some already; beyond, a time is
only an estimate."""
SWEEP: Final = 10.0
"""Seconds between two looks for promises that nobody came for."""

Who = tuple[str, str]
"""Chat and sender."""


class _Promise(msgspec.Struct, eq=False):
    due: float
    ends: float
    size: int


class Promises:
    """One line's promises."""

    def __init__(self) -> None:
        self._held: dict[Who, deque[_Promise]] = {}
        self._count = 0
        self._first_horizon = 0.0
        self._further_horizon = 0.0
        self._swept = 0.0

    def __len__(self) -> int:
        return self._count

    def make(
        self, who: Who, *, now: float, wait: float, takes: float, chats: int = 1, size: int = 0
    ) -> float:
        """Seconds after which ``who`` may come back, with a request of ``size`` prompt tokens.

        ``wait`` is the least, from the line as it is; ``takes`` the seconds that the
        request would keep the whole server, which ``chats`` share at present.
        """
        if self._count >= MOST // 2 and now - self._swept >= SWEEP:
            self._sweep(now)
        held = self._held.get(who)
        if held:
            due = max(now + wait, self._further_horizon, held[-1].due + takes * chats)
            most = MOST // 2
        else:
            due = max(now + wait, self._first_horizon)
            most = MOST
        if self._count >= most:
            return due - now
        if held:
            self._further_horizon = due + takes / FURTHER
        else:
            self._first_horizon = due + takes / (SHARE - FURTHER)
            held = self._held[who] = deque()
        held.append(_Promise(due, due + max(GRACE, due - now), size))
        self._count += 1
        return due - now

    def redeem(self, who: Who, now: float, size: int | None = None) -> bool:
        """Whether ``who`` comes at the promised time; a promise is kept once.

        With a ``size``, only for such a request as was refused. Without, a promise is
        good for any where it is the only one, or half of its time is over.
        """
        held = self._held.get(who)
        if held is None:
            return False
        self._forget(who, held, now)
        alone = len(held) == 1
        for promise in held:
            if promise.due > now:
                return False
            old = alone or 2 * now > promise.due + promise.ends
            if promise.ends >= now and (old if size is None else promise.size == size):
                held.remove(promise)
                self._count -= 1
                self._forget(who, held, now)
                return True
        return False

    def _forget(self, who: Who, held: deque[_Promise], now: float) -> None:
        while held and held[0].ends < now:
            held.popleft()
            self._count -= 1
        if not held:
            del self._held[who]

    def _sweep(self, now: float) -> None:
        self._swept = now
        for who, held in list(self._held.items()):
            self._forget(who, held, now)
