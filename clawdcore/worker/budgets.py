"""What each plugin may use up, so that no plugin starves the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Final

from ..admission.ask import Ask
from ..config import BudgetConfig, PluginConfig
from .origin import Origin
from .seats import Seats

DEFAULT: Final = BudgetConfig()


class Budgets:
    """The budgets of the listed plugins.

    ``seats`` are those that all of them share, ``at_once`` how many, and ``budget`` the
    seconds that a message has in all.
    """

    def __init__(
        self, listed: Sequence[PluginConfig], *, seats: Seats, at_once: int, budget: float
    ) -> None:
        enabled = [entry for entry in listed if entry.enabled]
        self._seats = seats
        self._budgets = {entry.name: entry.budget for entry in enabled}
        # One alone takes nothing from anybody.
        share = at_once - max(1, at_once // 4) if len(enabled) > 1 else at_once
        self._rooms: dict[str, Seats] = {}
        for name, each in self._budgets.items():
            most = share if each.at_once is None else each.at_once
            if 0 < most < at_once:
                self._rooms[name] = Seats(most, budget=budget)

    def seconds(self, plugin: str) -> float | None:
        """How long one call may take, None for as long as its message has."""
        return self._budgets.get(plugin, DEFAULT).seconds

    def failures(self) -> Mapping[str, int]:
        """By plugin, the failures in a row after which it rests."""
        return {name: budget.failures for name, budget in self._budgets.items()}

    def messages(self, plugin: str) -> int:
        """How many messages a minute a plugin may send to one chat unasked."""
        return self._budgets.get(plugin, DEFAULT).messages

    def room(self, plugin: str, ask: Ask) -> AbstractAsyncContextManager[None]:
        """For the body: one of the plugin's calls at once.

        Raises, when entered:
            clawdcore.errors.Overloaded: too many wait for that.
        """
        room = self._rooms.get(plugin)
        return nullcontext() if room is None else self._seats.along(room, ask)

    def time(self, plugin: str, origin: Origin) -> AbstractContextManager[None]:
        """For the body: the message's time is over when the plugin's is."""
        seconds = self.seconds(plugin)
        if seconds is None or origin.time is None:
            return nullcontext()
        return origin.time.within(seconds)

    def close(self) -> None:
        """Stop looking at deadlines."""
        for room in self._rooms.values():
            room.close()
