"""Ends unused conversations when they are due, even if nobody writes any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .sessions import Sessions


class Expiry:
    """One timer for all sessions; none runs while there are no sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._timer: asyncio.TimerHandle | None = None

    def arm(self, clock: Callable[[], float]) -> None:
        """Wake when the longest unused session is due; ``clock`` gives seconds."""
        due = self._sessions.next_expiry
        if self._timer is None and due is not None:
            delay = max(0.0, due - clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake, clock)

    def cancel(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self, clock: Callable[[], float]) -> None:
        self._timer = None
        self._sessions.expire(clock())
        self.arm(clock)
