"""How often a call is tried again, and after how long; pure."""

from __future__ import annotations

from typing import Final

import msgspec

PATIENCE: Final = 3600.0
"""Seconds for which a call that surely had no effect is tried again: an hour without
Telegram costs no answer, and what is older matters to few."""
PAUSE_LIMIT: Final = 15.0
"""Seconds between two of those tries, at most; they begin at 1 and double."""
UNKNOWN_RETRIES: Final = 1
"""How often an answer is sent again that may have arrived; a notice never is."""
FLOOD_RETRIES: Final = 10
"""How often a call is tried again after a 429."""


class Tries(msgspec.Struct):
    """What has been tried for one message. ``repeats`` is how often it may be repeated blindly."""

    repeats: int
    failures: int = 0
    unknown: int = 0
    floods: int = 0
    began: float | None = None

    def after_flood(self) -> bool:
        """Whether to try again once the pause of a 429 is over."""
        self.floods += 1
        return self.floods <= FLOOD_RETRIES

    def after_failure(self, now: float, *, unknown: bool) -> float | None:
        """Seconds until the next try, None to give up; ``unknown``: it may have had its effect."""
        if self.began is None:
            self.began = now
        self.failures += 1
        self.unknown += unknown
        if self.unknown > self.repeats or now - self.began >= PATIENCE:
            return None
        return min(2.0 ** (self.failures - 1), PAUSE_LIMIT)
