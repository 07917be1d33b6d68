"""Getting worse on purpose: which rung the bot stands on, from how hard it is pressed. Pure.

Each rung gives something up so that what matters more still works. The bot climbs
down one rung when the pressure has been above that rung's mark for a while, and up
again when it has been well below it for longer, so that it does not swing.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Rung(IntEnum):
    """What is given up; each rung gives up what those before it do as well."""

    NONE = 0
    WHOLE_ANSWERS = 1
    """Answers are shown when they are whole, not while they grow."""
    SHORT_ANSWERS = 2
    """Answers are shorter."""
    NO_MEDIA = 3
    """Pictures and voice in groups are refused."""
    CHEAPER = 4
    """A plugin's cheaper way is taken where it offers one."""
    DIRECT_ONLY = 5
    """Only private chats, mentions and commands are answered."""


MARKS: Final = (0.25, 0.4, 0.55, 0.7, 0.85)
"""The pressure above which each rung from the first on is taken."""
RELIEF: Final = 0.15
"""So far below its mark the pressure must be before a rung is left."""
DOWN: Final = 3.0
"""Seconds of pressure before another rung down."""
UP: Final = 10.0
"""Seconds of relief before a rung up."""


class Ladder:
    """Where the bot stands."""

    def __init__(self) -> None:
        self.rung = Rung.NONE
        self._pressed_since: float | None = None
        self._relieved_since: float | None = None

    def press(self, pressure: float, now: float) -> Rung:
        """The rung after another look; ``pressure`` is 0 for none to 1 for all that can wait."""
        deepest = self.rung == max(Rung)
        pressed = not deepest and pressure >= MARKS[self.rung]
        relieved = self.rung > 0 and pressure < MARKS[self.rung - 1] - RELIEF
        self._pressed_since = _since(self._pressed_since, pressed, now)
        self._relieved_since = _since(self._relieved_since, relieved, now)
        if self._pressed_since is not None and now - self._pressed_since >= DOWN:
            self._step(1)
        elif self._relieved_since is not None and now - self._relieved_since >= UP:
            self._step(-1)
        return self.rung

    def _step(self, by: int) -> None:
        self.rung = Rung(self.rung + by)
        self._pressed_since = self._relieved_since = None


def _since(since: float | None, holds: bool, now: float) -> float | None:
    """Since when it holds, None while it does not."""
    if not holds:
        return None
    return now if since is None else since


def pressure(*, waiting: float, bound: int, wait: float, budget: float) -> float:
    """How hard a line presses: how full it is, or how much of the time it takes away.

    ``waiting`` and ``wait`` are what people feel who don't flood the line themselves: how
    many stand there, of one sender and one chat a part at most, and the seconds that
    those who got their turn lately had waited for others. ``budget`` is the seconds that a
    request has in all.
    """
    late = wait / budget if waiting else 0.0
    return min(1.0, max(waiting / bound, late))
