"""How many may run at once, found from what the server says of itself. Pure.

Latency says little about load, since it follows the length of the answers. What
says much is whether requests wait *inside* the server, its cache is full, or it had
to throw work away (a preemption): each means that more at once gains nothing. So
the limit grows while it is used and the server keeps up, first by doubling and
then by a step (additive increase), and gives way by a part when it does not
(multiplicative decrease; Chiu and Jain, 1989).
"""

from __future__ import annotations

from typing import Final

from ..backend import Load

START: Final = 4
"""The limit before anything is known."""
CACHE_FULL: Final = 0.95
"""Of the cache in use; above it the server is about to throw work away."""
QUEUE_TIME: Final = 0.25
"""Seconds in the server's own queue that are more than its rhythm of steps."""
KEPT: Final = 0.8
"""What is left of the limit after the server was found to be too full."""
PAUSE: Final = 3.0
"""Seconds after giving way in which it doesn't grow: what runs must end first."""
STEP: Final = 8
"""The limit grows by one in so many, at least by one."""


class LimitControl:
    """One server's limit, between 1 and ``ceiling``."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.limit = min(START, ceiling)
        self._doubling = True
        self._quiet_until = float("-inf")
        self._preemptions: int | None = None
        self._crowded = False
        self._up: int | None = None
        self._most_up = 0

    def sample(self, load: Load, in_use: int, now: float, *, held_back: bool = False) -> int:
        """The limit after another look at the server; ``in_use`` are the seats taken.

        ``held_back``: somebody waits for a seat, though there may be some that are kept
        free for a higher class.
        """
        self._replicas(load)
        top = self._top(load)
        preempted = self._preempted(load)
        crowded = load.waiting > max(1, self.limit // 10)
        waiting = self._stands(crowded)
        late = load.queue_time is not None and load.queue_time > QUEUE_TIME and load.waiting > 0
        full = load.cache_use is not None and load.cache_use > CACHE_FULL
        if preempted or waiting or late or full:
            if in_use <= self.limit:  # else it still drains what the last limit let in
                self._give_way(load, now, hard=waiting)
        elif not crowded and now >= self._quiet_until and (held_back or in_use >= self.limit):
            more = self.limit if self._doubling else max(1, self.limit // STEP)
            self.limit += more
        self.limit = max(1, min(self.limit, top))
        return self.limit

    def refused(self, now: float) -> int:
        """The server took no more: the limit after that."""
        if now >= self._quiet_until:
            self.limit = max(1, int(self.limit * KEPT))
            self._doubling = False
            self._quiet_until = now + PAUSE
        return self.limit

    def _give_way(self, load: Load, now: float, *, hard: bool) -> None:
        self._doubling = False
        if now < self._quiet_until:
            return
        if hard and load.running:
            # What it runs of what it was given is the best measure of what it can run.
            self.limit = min(self.limit - 1, load.running)
        else:
            self.limit = int(self.limit * KEPT)
        self._quiet_until = now + PAUSE

    def _stands(self, crowded: bool) -> bool:
        """Whether it was crowded at the last look too: those who just came wait for a step."""
        before, self._crowded = self._crowded, crowded
        return crowded and before

    def _preempted(self, load: Load) -> bool:
        before, self._preemptions = self._preemptions, load.preemptions
        return before is not None and load.preemptions > before

    def _replicas(self, load: Load) -> None:
        """A replica that is gone takes its part of the limit with it, at once."""
        if not load.replicas:
            return
        up = sum(replica.up for replica in load.replicas)
        before, self._up = self._up, up
        self._most_up = max(self._most_up, up)
        if before is not None and 0 < up < before:
            self.limit = max(1, self.limit * up // before)
            self._doubling = False
        elif before is not None and up > before > 0:
            self.limit = self.limit * up // before

    def _top(self, load: Load) -> int:
        if load.capacity > 0:
            return min(self.ceiling, load.capacity)
        return self.ceiling
