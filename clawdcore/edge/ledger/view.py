"""What memory knows of the ledger, whatever the disk does. Pure.

It is what decides in a running process; the file is for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, TypeVar

from ...broker import Plan
from .batch import DeletionKey, Found, PlanKey, Snapshot, plan_key, values
from .rules import INTEGERS, Row, State, Verdict, plannable, verdict

T = TypeVar("T")
RECENT: Final = 20_000
"""Ids of done updates that are recognised without the disk."""
PLANS: Final = 10_000
"""Plans that one plugin may have."""


class View:
    """Open rows, the ids that were done lately, deletions owed and plans."""

    def __init__(self) -> None:
        self._open: dict[int, Row] = {}
        self._untaken: dict[int, Verdict] = {}
        self._ended: dict[int, None] = {}
        self._unwritten: dict[int, tuple[int, str, int]] = {}
        self._plans: dict[str, dict[PlanKey, Plan]] = {}
        self.deletions: dict[DeletionKey, float] = {}

    def __len__(self) -> int:
        return len(self._open)

    def load(self, found: Found) -> list[Row]:
        """Add what a file held; what is known already stays as it is. Returns the new rows."""
        new = [row for row in found.rows if row.id not in self._open and row.id not in self._ended]
        for row in new:
            self._open[row.id] = row
            self._untaken[row.id] = Verdict.ADOPTED
        self.deletions = found.deletions | self.deletions
        for key, plan in found.plans.items():
            self._plans.setdefault(plan.plugin, {}).setdefault(key, plan)
        return new

    def receive(self, row: Row) -> bool:
        """Whether its id is unknown here; it then becomes open, for :meth:`take`."""
        if row.id in self._open or row.id in self._ended:
            return False
        self._open[row.id] = row
        self._untaken[row.id] = Verdict.NEW
        return True

    def take(self, id: int) -> Verdict:
        """What a received id means to whoever brings it; only one is told to work on it.

        Separate from :meth:`receive`, which comes before the commit: a caller that
        was cancelled meanwhile takes nothing, and the next one may.
        """
        row = self._open.get(id)
        if row is None:
            return Verdict.KNOWN
        first = self._untaken.pop(id, None)
        if first is Verdict.NEW:
            return first
        return verdict(row.state, taken=first is None)

    def known(self, ids: Iterable[int]) -> None:
        """The disk says that these were done before they were received now."""
        for id in ids:
            self._open.pop(id, None)
            self._untaken.pop(id, None)
            self._remember(id)

    def confirm(self, id: int) -> bool:
        """Telegram no longer holds it; whether that is new."""
        row = self._open.get(id)
        if row is None or row.state is not State.RECEIVED:
            return False
        row.state = State.CONFIRMED
        return True

    def start(self, id: int) -> bool:
        """An attempt begins; whether it is open."""
        row = self._open.get(id)
        if row is None:
            return False
        row.starts += 1
        return True

    def sending(self, id: int, floor: int) -> bool:
        """Its answer is about to be sent; whether that is new. The first floor stays."""
        row = self._open.get(id)
        if row is None or row.state is State.SENDING:
            return False
        row.state, row.floor = State.SENDING, floor
        self._untaken.pop(id, None)
        return True

    def done(self, id: int) -> bool:
        """It is over; whether it was open."""
        if self._open.pop(id, None) is None:
            return False
        self._untaken.pop(id, None)
        self._remember(id)
        return True

    def unwritten(self, done: Iterable[tuple[int, str, int]]) -> None:
        """Keep ends that could not be written; of too many the newest."""
        for end in done:
            self._unwritten[end[0]] = end
        _trim(self._unwritten)

    def written(self, done: Iterable[tuple[int, str, int]]) -> None:
        """These ends are on the disk now."""
        for id, _, _ in done:
            self._unwritten.pop(id, None)

    def plan(self, plan: Plan) -> bool:
        """Keep or, with ``due`` None, cancel it; False where it can't be kept."""
        if not plannable(plan):
            return False
        own = self._plans.setdefault(plan.plugin, {})
        key = plan_key(plan)
        if plan.due is None:
            own.pop(key, None)
        elif key in own or len(own) < PLANS:
            own[key] = plan
        else:
            return False
        return True

    def plans(self, plugin: str | None = None) -> list[Plan]:
        """Every plan, or those of a plugin."""
        if plugin is not None:
            return list(self._plans.get(plugin, {}).values())
        return [plan for own in self._plans.values() for plan in own.values()]

    def snapshot(self, *, complete: bool) -> Snapshot:
        """All that fits into a file, to be written into one that can be written again."""
        return Snapshot(
            complete=complete,
            held=[values(row) for row in self._open.values() if row.id in INTEGERS],
            done=[end for end in self._unwritten.values() if end[0] in INTEGERS],
            deletions=dict(self.deletions),
            plans={plan_key(plan): plan for plan in self.plans()},
        )

    def _remember(self, id: int) -> None:
        self._ended[id] = None
        _trim(self._ended)


def _trim(ids: dict[int, T]) -> None:
    for id in list(islice(ids, max(0, len(ids) - RECENT))):
        del ids[id]
