"""When a line that has stood too long must get shorter: controlled delay, as in RFC 8289.

Bursts may wait; a *standing* delay, one that even the luckiest met for a whole
interval, only makes everybody late. Then requests are refused, at a growing rate,
until somebody waits for less than the target again. Pure: time is a parameter.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

SHARE: Final = 0.25
"""The delay that may stand, as a part of the time that a request has."""


class CoDel:
    """One line's controller. ``budget`` is the seconds that a request in it has in all."""

    def __init__(self, budget: float) -> None:
        self.target = budget * SHARE
        self.interval = budget / 2
        self._above_since: float | None = None
        self._dropping = False
        self._next = 0.0
        self._count = 0

    def started(self, waited: float, now: float) -> bool:
        """One got its turn after ``waited`` seconds; whether another should be refused."""
        if waited < self.target:
            self._above_since = None
            self._dropping = False
            return False
        if self._above_since is None:
            self._above_since = now
        if now - self._above_since < self.interval:
            return False
        if not self._dropping:
            self._dropping = True
            # Soon after the last time the rate that helped then is nearly right now.
            recent = now - self._next < 8 * self.interval
            self._count = max(1, self._count - 2) if recent and self._count > 2 else 1
            self._next = now + self.interval / sqrt(self._count)
            return True
        if now < self._next:
            return False
        self._count += 1
        self._next += self.interval / sqrt(self._count)
        return True

    def emptied(self) -> None:
        """Nobody waits any more."""
        self._above_since = None
        self._dropping = False
