"""When planned calls are due: pure, with time in seconds since the epoch as a parameter."""

from __future__ import annotations

import heapq
import math
from typing import Final

import msgspec

from ..broker import Due, Plan

OUT: Final = 64
"""Calls that the worker holds at once; it runs 16, and the rest is at hand."""
REBUILD: Final = 64
"""Stale heap entries that are never worth a rebuild."""

Key = tuple[str, str, int, int]
"""Plugin, name, chat and user."""


def key_of(plan: Plan) -> Key:
    """The four names by which a plan replaces an earlier one."""
    return plan.plugin, plan.name, plan.chat, plan.user


def next_due(due: float, every: float, now: float) -> float | None:
    """When a call that was due at ``due`` is due again, later than ``now``; None for never.

    Times that were missed are not made up for, and the rhythm stays: the result is
    a whole number of ``every`` after ``due``.
    """
    if every <= 0:
        return None
    following = due + max(1, math.floor((now - due) / every) + 1) * every
    # Rounding may leave it on ``now``; a step too small to be seen in ``due`` ends at ``now``.
    return following if following > now else max(now, following) + every


def _goes_on(before: Plan, due: float, every: float) -> bool:
    """Whether a plan of this rhythm is the one from before, which comes sooner."""
    return every > 0 and before.every == every and before.due is not None and before.due <= due


class Plans:
    """All plans by due time. A call that is out stays so until it was called, or requeued."""

    def __init__(self, *, out: int = OUT) -> None:
        self._limit = out
        self._plans: dict[Key, Plan] = {}
        self._heap: list[tuple[float, Key]] = []
        self._out: dict[int, tuple[Key, Plan]] = {}
        self._busy: set[Key] = set()
        self._last = 0

    def __len__(self) -> int:
        return len(self._plans)

    @property
    def out(self) -> int:
        """How many calls a worker holds."""
        return len(self._out)

    def add(self, plan: Plan) -> Plan | None:
        """Take a plan in place of an earlier one; cancel that where ``due`` is None.

        Returns what is to be written down, None where nothing changed. A rhythm that
        is planned once more keeps its next time: a plugin that plans at each start
        would otherwise put it off with each restart.
        """
        key = key_of(plan)
        before = self._plans.get(key)
        if plan.due is None:
            # A call under way can't be taken back, but it has no next time.
            return plan if self._plans.pop(key, None) is not None else None
        if before is not None and _goes_on(before, plan.due, plan.every):
            return None
        self._plans[key] = plan
        if key not in self._busy:
            self._push(plan.due, key)
        return plan

    def due(self, now: float) -> list[Due]:
        """The calls that are due, the longest due first; they are out from now on."""
        found: list[Due] = []
        while self._heap and self._heap[0][0] <= now and len(self._out) < self._limit:
            when, key = heapq.heappop(self._heap)
            plan = self._plans.get(key)
            if plan is None or plan.due != when or key in self._busy:
                continue  # replaced or cancelled since
            self._last += 1
            self._out[self._last] = key, plan
            self._busy.add(key)
            found.append(Due(self._last, plan.plugin, plan.name, plan.chat, plan.user, when))
        return found

    def called(self, id: int, now: float) -> Plan | None:
        """A call is over: returns the plan as it goes on, with ``due`` None where it doesn't.

        None where there is nothing to write down: the call is unknown, or its plan was
        replaced or cancelled meanwhile.
        """
        key, plan = self._out.pop(id, (None, None))
        if key is None or plan is None:
            return None
        self._busy.discard(key)
        current = self._plans.get(key)
        if current is None:
            return None
        if current is not plan:
            if current.due is not None:
                self._push(current.due, key)
            return None
        following = next_due(plan.due or 0.0, plan.every, now)
        after = msgspec.structs.replace(plan, due=following)
        if following is None:
            del self._plans[key]
        else:
            self._plans[key] = after
            self._push(following, key)
        return after

    def requeue(self, *ids: int) -> None:
        """The worker that held these calls died: they are due again."""
        for id in ids:
            key, _ = self._out.pop(id, (None, None))
            if key is None:
                continue
            self._busy.discard(key)
            plan = self._plans.get(key)
            if plan is not None and plan.due is not None:
                self._push(plan.due, key)

    def next_time(self) -> float | None:
        """When :meth:`due` has something next; None while nothing can come of it.

        That is also while as much is out as may be: the next comes after a call.
        """
        if len(self._out) >= self._limit:
            return None
        while self._heap:
            when, key = self._heap[0]
            plan = self._plans.get(key)
            if plan is not None and plan.due == when and key not in self._busy:
                return when
            heapq.heappop(self._heap)
        return None

    def _push(self, when: float, key: Key) -> None:
        heapq.heappush(self._heap, (when, key))
        if len(self._heap) > 2 * len(self._plans) + REBUILD:
            self._heap = [
                (plan.due, key)
                for key, plan in self._plans.items()
                if plan.due is not None and key not in self._busy
            ]
            heapq.heapify(self._heap)
