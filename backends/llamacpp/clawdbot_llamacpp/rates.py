"""How fast the engine has been lately: what an honest "try again in" is made of."""

from __future__ import annotations

from typing import Final

HALF_LIFE: Final = 30.0
"""Seconds of work after which a measurement counts half."""
SHARE: Final = 0.2
"""The weight of the newest generation in the mean duration."""
FLOOR: Final = 1.0
"""The least number of seconds that anybody is told to wait."""


class Rates:
    """Tokens a second while it works, and seconds a generation takes.

    Times are seconds of one clock, given by the caller.
    """

    def __init__(self) -> None:
        self._tokens = 0.0
        self._busy = 0.0
        self._at = 0.0
        self._running = 0
        self._busy_since = 0.0
        self._mean: float | None = None

    def runs(self, now: float, running: int) -> None:
        """So many generations run from now on."""
        self._advance(now)
        if running and not self._running:
            self._busy_since = now
        self._running = running

    def generated(self, now: float, tokens: int) -> None:
        """So many tokens came."""
        self._advance(now)
        self._tokens += tokens

    def finished(self, seconds: float) -> None:
        """A generation took so long."""
        self._mean = seconds if self._mean is None else self._mean + SHARE * (seconds - self._mean)

    def tokens_per_second(self, now: float) -> float | None:
        """Generated tokens over all generations, None before any."""
        self._advance(now)
        return self._tokens / self._busy if self._tokens > 0 and self._busy > 0 else None

    def seconds_until(self, now: float, ahead: int, slots: int) -> float:
        """Estimate when the request number ``ahead`` of the queue gets one of ``slots``.

        Before anything has finished, a generation is taken to last at least as
        long as the present ones have.
        """
        mean = self._mean
        if mean is None:
            mean = now - self._busy_since if self._running else 0.0
        return max(FLOOR, mean * ahead / slots)

    def _advance(self, now: float) -> None:
        elapsed, self._at = max(0.0, now - self._at), now
        if self._running and elapsed > 0:
            fade = 0.5 ** (elapsed / HALF_LIFE)
            self._tokens *= fade
            self._busy = self._busy * fade + elapsed
