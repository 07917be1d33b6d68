"""What one person has drunk on one day, and when to remind: pure, so easily tested."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from clawdcore import UsageError
from pydantic import BaseModel

SHORTEST, LONGEST = 15, 24 * 60
"""Minutes between two reminders."""


class Day(BaseModel):
    """The state that is kept of a user: numbers only, nothing that anybody wrote."""

    date: str = ""
    drunk: int = 0

    def at(self, now: datetime) -> Day:
        """The same day, or a new one with nothing drunk."""
        today = now.date().isoformat()
        return self if self.date == today else Day(date=today)

    def plus(self, amount: int) -> Day:
        """After ``amount`` millilitres more; never below nothing."""
        return self.model_copy(update={"drunk": max(0, self.drunk + amount)})

    @classmethod
    def kept(cls, value: Any) -> Day:
        """As it was kept; a new one where there is none."""
        return cls() if value is None else cls.model_validate(value)


class Interval:
    """How often to remind, as a command's argument: ``2h``, ``45m``, ``off``."""

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes

    @classmethod
    def parse(cls, word: str) -> Self:
        """What the core calls with the word. Raises UsageError with what may be written."""
        if word.lower() == "off":
            return cls(0)
        number, unit = word[:-1], word[-1:].lower()
        if number.isdecimal() and len(number) < 5 and unit in {"h", "m"}:
            minutes = int(number) * (60 if unit == "h" else 1)
            if SHORTEST <= minutes <= LONGEST:
                return cls(minutes)
        raise UsageError("Write a time from 15m to 24h, or off.")
