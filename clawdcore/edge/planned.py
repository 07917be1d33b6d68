"""Planned calls: kept in the ledger, handed to the worker when they are due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..broker import Due, Plan
from .ledger import Ledger
from .plans import Plans

log = logging.getLogger(__name__)

CRASHES: Final = 3
"""Workers that may end while a call is out before it is left out this time."""


class Planned:
    """Runs the plans. ``call`` hands a due call to the present worker.

    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self, ledger: Ledger, *, call: Callable[[Due], None], clock: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._call = call
        self._clock = clock
        self._plans = Plans()
        self._changed = asyncio.Event()
        self._worker = 0
        self._out: dict[int, tuple[int, Due]] = {}
        self._crashes: dict[tuple[str, str, int, int], int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        for plan in self._ledger.plans():
            self._plans.add(plan)
        while True:
            self._changed.clear()
            if self._worker:
                for due in self._plans.due(self._clock()):
                    self._out[due.id] = self._worker, due
                    self._call(due)
            following = self._plans.next_time() if self._worker else None
            with suppress(TimeoutError):
                # Not longer than an hour, so that a clock that was set is noticed.
                wait = None if following is None else following - self._clock()
                async with asyncio.timeout(None if wait is None else min(max(wait, 0.0), 3600.0)):
                    await self._changed.wait()

    def attach(self, worker: int) -> None:
        """From now on calls go to ``worker``, 0 for nobody."""
        self._worker = worker
        self._changed.set()

    def plan(self, record: Plan) -> None:
        """A plugin plans or cancels."""
        written = self._plans.add(record)
        if written is None:
            return
        if not self._ledger.advance(written):
            log.warning("plugin %s: a plan was not kept, it has too many", record.plugin)
        self._changed.set()

    def called(self, number: int) -> None:
        """A call is over."""
        out = self._out.pop(number, None)
        if out is not None:
            self._crashes.pop(_names(out[1]), None)
        written = self._plans.called(number, self._clock())
        if written is not None:
            self._ledger.advance(written)
        self._changed.set()

    def lost(self, worker: int, *, blamed: bool) -> None:
        """``worker`` has ended: what it held is due again.

        A call that was out when so many ended (``blamed``: by themselves) is left out.
        """
        for number, (holder, due) in list(self._out.items()):
            if holder != worker:
                continue
            names = _names(due)
            self._crashes[names] = self._crashes.get(names, 0) + blamed
            if self._crashes[names] >= CRASHES:
                log.error("a planned call of plugin %s ends each worker: left out", due.plugin)
                self.called(number)
            elif self._worker:
                self._out[number] = self._worker, due
                self._call(due)
            else:
                del self._out[number]
                self._plans.requeue(number)
        self._changed.set()


def _names(due: Due) -> tuple[str, str, int, int]:
    return due.plugin, due.name, due.chat, due.user
