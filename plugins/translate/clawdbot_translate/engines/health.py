"""Which engines rest: one that failed is left alone for a while that grows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

FIRST_REST: Final = 5.0
LONGEST_REST: Final = 600.0
"""Seconds that an engine rests after one failure, and at most; each failure in a row doubles."""
LONGEST_TOLD: Final = 3600.0
"""Seconds that a server may ask to be left alone: a wrong header must not cost a day."""


@dataclass(slots=True)
class Health:
    """What is known of each engine. Times are in seconds of any clock that only moves forward."""

    _failures: dict[str, int] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)
    _told: dict[str, float] = field(default_factory=dict)

    def failed(self, name: str, now: float, seconds: float | None = None) -> bool:
        """It failed; ``seconds`` is how long it wants to be left alone, where it says so.

        Failures while it rests (asked before it failed) don't count again. Returns whether
        this one did.
        """
        counts = not self.rest(name, now)
        if seconds:
            until = now + min(LONGEST_TOLD, seconds)
            self._told[name] = max(until, self._told.get(name, until))
        if counts:
            count = self._failures.get(name, 0)
            self._failures[name] = count + 1
            if not seconds:
                self._until[name] = now + min(LONGEST_REST, FIRST_REST * 2.0 ** min(count, 16))
        return counts

    def succeeded(self, name: str) -> None:
        """It answered: it rests no more, and the next rest is a short one.

        A rest that the server asked for goes on: this was asked before it did.
        """
        self._failures.pop(name, None)
        self._until.pop(name, None)

    def rest(self, name: str, now: float) -> float:
        """Seconds that it still rests; 0 when it may be asked."""
        own = min(LONGEST_REST, self._until.get(name, now) - now)
        return max(0.0, own, self.told(name, now))

    def told(self, name: str, now: float) -> float:
        """Seconds that the server itself still wants to be left alone."""
        return min(LONGEST_TOLD, max(0.0, self._told.get(name, now) - now))

    def shortest(self, names: Sequence[str], now: float) -> float:
        """Seconds until the first of them may be asked again."""
        return min((self.rest(name, now) for name in names), default=0.0)
