"""Measures that forget: what was lately, out of counts that only grow."""

from __future__ import annotations

from typing import Final

HALF_LIFE: Final = 5.0
"""Seconds after which a measurement counts half; limits must follow within seconds."""
SHARE: Final = 0.2
"""The weight of the newest answer in a mean over answers."""


class Ratio:
    """One amount per another, over the last seconds: tokens a second, seconds a request.

    Times are seconds of one clock, given by the caller.
    """

    def __init__(self) -> None:
        self.top = 0.0
        self.bottom = 0.0
        self._at = 0.0

    def add(self, now: float, top: float, bottom: float) -> None:
        """So much more of both. Without any of the second nothing is forgotten."""
        if bottom <= 0:
            return
        fade = 0.5 ** (max(0.0, now - self._at) / HALF_LIFE)
        self._at = now
        self.top = self.top * fade + top
        self.bottom = self.bottom * fade + bottom

    @property
    def value(self) -> float | None:
        """None before any."""
        return self.top / self.bottom if self.bottom > 0 else None


def blend(mean: float | None, newest: float) -> float:
    """The mean after one more value."""
    return newest if mean is None else mean + SHARE * (newest - mean)
