"""When a message's time is over; it stands still while its files are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadline:
    """``total`` seconds from now, and ``media`` more that only reading files takes.

    ``expired`` is called when it is over; ``moved`` is told each new end, in the
    event loop's time. Parallel readings of one message take the same time.
    """

    def __init__(
        self,
        total: float,
        media: float,
        *,
        expired: Callable[[], None],
        moved: Callable[[float], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._media = media
        self._expired = expired
        self._moved = moved
        self._readings = 0
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self._set(self._loop.time() + total)

    @contextmanager
    def stands_still(self) -> Iterator[None]:
        """For the body, which reads files."""
        if self._readings == 0:
            self._since = self._loop.time()
            self._set(self._end + self._media)
        self._readings += 1
        try:
            yield
        finally:
            self._readings -= 1
            if self._readings == 0:
                used = min(self._media, self._loop.time() - self._since)
                self._media -= used
                self._set(self._end - self._media)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """For the body, which has ``seconds`` of it at most."""
        later = self._end - (self._loop.time() + seconds)
        if later <= 0:
            yield
            return
        self._set(self._end - later)
        try:
            yield
        finally:
            self._set(self._end + later)

    def cancel(self) -> None:
        """The message is over. Harmless twice."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._over = True

    def _set(self, end: float) -> None:
        self._end = end
        self._moved(end)
        if self._timer is not None:
            self._timer.cancel()
        if not self._over:
            self._timer = self._loop.call_at(end, self._expire)

    def _expire(self) -> None:
        self.cancel()
        self._expired()
