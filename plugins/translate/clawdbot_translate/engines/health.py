"""Which engines rest: one that failed is left alone for a while that grows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

FIRST_REST: Final = 5.0
LONGEST_REST: Final = 600.0
"""Seconds that an engine rests after one failure, and at most; each failure in a row doubles."""


@dataclass(slots=True)
class Health:
    """What is known of each engine. Times are in seconds of any clock that only moves forward."""

    _failures: dict[str, int] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def failed(self, name: str, now: float) -> None:
        """It failed; failures while it rests (asked before it failed) don't count again."""
        if self.rest(name, now):
            return
        count = self._failures.get(name, 0)
        self._failures[name] = count + 1
        self._until[name] = now + min(LONGEST_REST, FIRST_REST * 2.0 ** min(count, 16))

    def succeeded(self, name: str) -> None:
        """It answered: it rests no more, and the next rest is a short one."""
        self._failures.pop(name, None)
        self._until.pop(name, None)

    def rest(self, name: str, now: float) -> float:
        """Seconds that it still rests; 0 when it may be asked."""
        return min(LONGEST_REST, max(0.0, self._until.get(name, now) - now))

    def shortest(self, names: Sequence[str], now: float) -> float:
        """Seconds until the first of them may be asked again."""
        return min((self.rest(name, now) for name in names), default=0.0)
