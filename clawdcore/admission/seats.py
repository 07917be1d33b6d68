"""Who has a seat, and for which class one is free. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from ..backend import Priority
from .lane import Waiter

CONTROL_SEATS: Final = 1
"""Seats beyond the limit that only the control lane takes."""


def kept_free(limit: int) -> int:
    """Seats of ``limit`` that a class leaves to each class above it."""
    return max(1, limit // 4) if limit >= 4 else 0


class Running(msgspec.Struct, eq=False):
    """Somebody who has a seat, since ``started``; ``charged`` are weighted tokens."""

    waiter: Waiter
    started: float
    charged: float
    prompt: float
    output: float = 0.0


class Seats:
    """The seats in use, by class."""

    def __init__(self) -> None:
        self._held: tuple[set[Running], ...] = tuple(set() for _ in Priority)
        self._taken = 0

    def __len__(self) -> int:
        return self._taken

    def add(self, running: Running) -> None:
        """It has a seat from now on."""
        self._held[running.waiter.ask.priority].add(running)
        self._taken += 1

    def remove(self, running: Running) -> None:
        """Its seat is free again. Raises KeyError when it had none."""
        self._held[running.waiter.ask.priority].remove(running)
        self._taken -= 1

    def taken(self) -> int:
        """How many without control's own: else a flood of control would starve the rest."""
        return self._taken - min(CONTROL_SEATS, len(self._held[Priority.CONTROL]))

    def room(self, priority: Priority, limit: int) -> bool:
        """Whether one more of a class may start, with ``limit`` seats."""
        if self.taken() >= limit:
            return priority is Priority.CONTROL and self._taken < limit + CONTROL_SEATS
        lower = len(self._held[Priority.MEDIA])
        if priority is Priority.MEDIA and lower >= max(1, limit - 2 * kept_free(limit)):
            return False
        lower += len(self._held[Priority.GROUP])
        return priority < Priority.GROUP or lower < max(1, limit - kept_free(limit))
