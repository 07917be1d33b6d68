"""After a start: what an earlier run left behind ends in a notice, or as answered after all.

What people wrote is gone with the process that was killed; who spoke to the bot
is asked to send it again. An answer whose sending had begun is looked for in its
chat first.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from ..broker import Outcome
from . import words
from .heads import Head
from .ledger import Remedy, Row, left_over
from .work import Held

log = logging.getLogger(__name__)

WEBHOOK_GRACE: Final = 20.0
"""Seconds in which Telegram brings again what a webhook call had not confirmed: it
tries after 1 s, 2 s, 4 s and 8 s."""

Arrived = Callable[[Row], Awaitable[bool | None]]
"""Whether an answer to the update is in its chat; None where nobody can tell."""
Settle = Callable[[Held, Outcome], None]
Say = Callable[[Held, str], None]
"""Hands out a notice for an update and those in its ``together``."""


class Recovery:
    """What is left of an earlier run. ``rows`` are in order."""

    def __init__(self, rows: Iterable[Row], *, arrived: Arrived, settle: Settle, say: Say) -> None:
        self._rows = {row.id: row for row in rows}
        self._arrived = arrived
        self._settle = settle
        self._say = say

    def __len__(self) -> int:
        return len(self._rows)

    def adopted(self, update: int) -> None:
        """Telegram has brought it again: it is worked on after all."""
        self._rows.pop(update, None)

    def add(self, rows: Iterable[Row]) -> None:
        """More of an earlier run, from a ledger that could not be read before."""
        self._rows.update((row.id, row) for row in rows)

    @property
    def rows(self) -> list[Row]:
        """What is not seen to its end yet, in order."""
        return list(self._rows.values())

    def gone(self, ids: Iterable[int]) -> list[Row]:
        """The rows that Telegram no longer holds, by an answer of ``getUpdates`` with ``ids``.

        It gives updates in order, so that all below the first one are gone, and
        all that there are where it gave none.
        """
        first = min(ids, default=None)
        return [row for row in self._rows.values() if first is None or row.id < first]

    async def end(self, rows: Iterable[Row], *, drained: bool) -> None:
        """See each of ``rows`` to its outcome, as far as that is known yet."""
        remedies = {row.id: left_over(row, drained=drained) for row in rows}
        asked: dict[tuple[int, int, int], list[Row]] = {}
        for number, remedy in remedies.items():
            row = self._rows.get(number)
            if row is None or remedy is Remedy.WAIT:
                continue
            del self._rows[number]
            if remedy is Remedy.FIND_OUT and await self._arrived(row):
                self._settle(_held(row), Outcome.ANSWERED)
                continue
            if not row.addressed and not row.starts:
                # Nobody spoke to the bot, and it had not found anything to do either.
                self._settle(_held(row), Outcome.UNADDRESSED)
                continue
            user = row.user if row.addressed else 0
            asked.setdefault((row.chat, row.topic, user), []).append(row)
        for several in asked.values():
            self._notify(several)

    def _notify(self, rows: list[Row]) -> None:
        """One notice to one asker, or to one chat, below their last message."""
        last = rows[-1]
        held = _held(last)
        held.together = tuple(row.id for row in rows[:-1])
        self._say(held, words.interrupted(len(rows), last.language))
        log.info("%d updates of an earlier run end in a notice", len(rows))


def _held(row: Row) -> Held:
    head = Head(
        chat=row.chat,
        topic=row.topic or None,
        message=row.message,
        user=row.user,
        language=row.language,
        private=row.private,
        wanted=row.addressed,
    )
    return Held(id=row.id, head=head)
