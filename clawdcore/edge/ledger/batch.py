"""What passes between the ledger's loop and its thread: changes, and what a file held."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from ...broker import Outcome, Plan
from .rules import Row, language_tag, storable

Values: TypeAlias = tuple[int | str, ...]
DeletionKey: TypeAlias = tuple[int, int]
"""Chat and message."""
PlanKey: TypeAlias = tuple[str, str, int, int]
"""Plugin, name, chat and user."""


class Batch(msgspec.Struct):
    """Changes for one transaction. Of several to one deletion or plan the last holds.

    Ends are written first: an id whose end waits here may come again and be received
    once more, and must then be found done. The rest follows the order of the states.
    """

    received: list[Values] = []
    confirmed: list[tuple[int]] = []
    started: list[tuple[int]] = []
    sending: list[tuple[int, int]] = []
    """Floor and id."""
    done: list[tuple[int, str, int]] = []
    """Id, outcome, and when, in seconds since the epoch."""
    deletions: dict[DeletionKey, float | None] = {}
    """When it is due, in seconds since the epoch; None: no longer owed."""
    plans: dict[PlanKey, Plan | None] = {}

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


class Snapshot(msgspec.Struct):
    """All that memory knows, to be written after a time without a disk.

    ``complete``: the file was read before in this run, so that what is in it and
    not in memory is over.
    """

    complete: bool
    held: list[Values]
    done: list[tuple[int, str, int]]
    deletions: dict[DeletionKey, float]
    plans: dict[PlanKey, Plan]


class Found(msgspec.Struct):
    """What a file held when it was opened. ``aside``: a damaged one's new name, or ""."""

    rows: list[Row]
    deletions: dict[DeletionKey, float]
    plans: dict[PlanKey, Plan]
    aside: str = ""


class Written(msgspec.Struct):
    """What a commit did. ``known``: received ids that the file had; ``more``: ids to forget."""

    known: list[int]
    more: bool


def values(row: Row) -> Values:
    """A row as the columns of ``held``."""
    return (
        row.id,
        storable(row.chat),
        storable(row.message),
        storable(row.user),
        storable(row.at),
        storable(row.topic),
        language_tag(row.language),
        int(row.addressed),
        int(row.private),
        int(row.state),
        row.starts,
        storable(row.floor),
    )


def plan_key(plan: Plan) -> PlanKey:
    """The four names by which a plan replaces an earlier one."""
    return plan.plugin, plan.name, plan.chat, plan.user


def ending(id: int, outcome: Outcome, now: float) -> tuple[int, str, int]:
    """An update's end as the columns of ``ended``."""
    return id, outcome.value, int(now)
