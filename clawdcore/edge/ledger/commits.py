"""Group commit: whatever is to be written meanwhile goes with the next transaction."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from functools import partial
from typing import Final

from .batch import Batch, Written

FLUSH: Final = 0.1
"""Seconds that a change nobody waits for may wait for its commit."""
STALL: Final = 10.0
"""Seconds for a commit, beyond which a disk that gives no answer counts as failed."""


class Commits:
    """One transaction at a time, and one batch that fills up behind it.

    ``write`` starts a transaction in the ledger's thread. ``written`` and ``failed``
    hear of its end before those who waited for it.
    """

    def __init__(
        self,
        write: Callable[[Batch], asyncio.Future[Written]],
        written: Callable[[Written], None],
        failed: Callable[[BaseException, Batch], None],
    ) -> None:
        self._write = write
        self._written = written
        self._failed = failed
        self.batch = Batch()
        self._waiting: list[asyncio.Future[None]] = []
        self._running: list[asyncio.Future[None]] | None = None
        self._timer: asyncio.Handle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._urgent = False
        self._paused = True

    @property
    def stuck(self) -> bool:
        """Whether a commit that was given up still has the ledger's thread."""
        return self._running is None and self._stall is not None

    async def durable(self) -> None:
        """Until all that is in the batch, or under way, is on the disk or can't get there."""
        if self._paused:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.batch:
            self._waiting.append(future)
            self.soon()
        elif self._running is not None:
            self._running.append(future)
        else:
            return
        await future

    def soon(self) -> None:
        """Commit once what is ready to run now has had its say."""
        if self._paused or self._running is not None or self._urgent:
            return
        self._stop_timer()
        self._urgent = True
        self._timer = asyncio.get_running_loop().call_soon(self._begin)

    def later(self) -> None:
        """Commit within :data:`FLUSH` seconds."""
        if self._paused or self._running is not None or self._timer is not None:
            return
        self._timer = asyncio.get_running_loop().call_later(FLUSH, self._begin)

    def pause(self) -> Batch:
        """Write nothing more, let everybody go on; returns what was not written."""
        self._paused = True
        self._stop_timer()
        waiting, self._waiting = self._waiting, []
        _release(waiting)
        return self.take()

    def resume(self) -> None:
        """Write again, what has come meanwhile first."""
        self._paused = False
        if self.batch:
            self.later()

    def take(self) -> Batch:
        """The batch so far; a new one begins."""
        batch, self.batch = self.batch, Batch()
        return batch

    def _stop_timer(self) -> None:
        self._urgent = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._stop_timer()
        batch = self.take()
        self._running, self._waiting = self._waiting, []
        job = self._write(batch)
        job.add_done_callback(partial(self._over, batch))
        self._stall = asyncio.get_running_loop().call_later(STALL, self._give_up, batch, job)

    def _give_up(self, batch: Batch, job: asyncio.Future[Written]) -> None:
        if job.done():
            return  # it was this process that stood still, and it hears of the end next
        running, self._running = self._running or [], None
        self._failed(TimeoutError(errno.ETIMEDOUT, "the disk gives no answer"), batch)
        _release(running)

    def _over(self, batch: Batch, job: asyncio.Future[Written]) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        if self._running is None:
            # It was given up, and whether it succeeded no longer matters; an error is no news.
            if not job.cancelled():
                job.exception()
            return
        running, self._running = self._running, None
        if job.cancelled():
            self._failed(asyncio.CancelledError(), batch)
        elif (error := job.exception()) is not None:
            self._failed(error, batch)
        else:
            self._written(job.result())
        _release(running)
        if self._waiting:
            self.soon()
        elif self.batch:
            self.later()


def _release(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
