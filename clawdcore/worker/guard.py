"""Foreign code at arm's length: what it raises is its own failure, and it can be left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

GRACE: Final = 2.0
"""Seconds that cancelled work may take to clean up before it is left behind."""


def ends_us(error: BaseException) -> bool:
    """Whether ``error`` is our own end and must go on, not the failure of what was called.

    That is a cancellation that somebody asked our task for, and a coroutine
    being closed from outside (then no task runs). Everything else was raised by
    the foreign code itself, ``SystemExit`` and ``CancelledError`` included.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs any more
        return True
    if task is None:
        return True
    return isinstance(error, asyncio.CancelledError) and task.cancelling() > 0


async def within(limit: float, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives within ``limit`` seconds, even if it ignores being cancelled.

    Raises:
        TimeoutError: it did not; it was cancelled, and after :data:`GRACE` left behind.
        Exception: what it raised; of what is no ``Exception`` a ``RuntimeError``.
    """
    task = asyncio.create_task(_tamed(work))
    task.add_done_callback(_look)
    try:
        await asyncio.wait({task}, timeout=limit)
        if task.done():
            return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE)
            if not task.done():
                leave_behind(task)
        if task.done():
            work.close()  # it may have been cancelled before it began
    raise TimeoutError


async def _tamed(work: Coroutine[Any, Any, T]) -> T:
    """``work``, without what would end the event loop."""
    try:
        return await work
    except Exception:
        raise
    except BaseException as error:
        if ends_us(error):
            raise
        raise tame(error) from error


def tame(error: BaseException) -> RuntimeError:
    """An error for one that means something else to a loop or a future; its frames stay."""
    return RuntimeError(f"raised {type(error).__name__}").with_traceback(error.__traceback__)


def leave_behind(task: asyncio.Task[Any]) -> None:
    """Wait no longer for a task that ignores being cancelled.

    Its coroutine is closed, which most such code can't ignore as well; then the
    task ends by itself. What resists even that goes on, and nobody waits for it.
    """
    task.add_done_callback(_look)
    coroutine: Any = task.get_coro()
    try:
        coroutine.close()
    except BaseException as error:  # noqa: BLE001 - foreign code, and nobody to tell
        _ = error
    task.cancel()


def _look(task: asyncio.Task[Any]) -> None:
    """Fetch the outcome, so that asyncio doesn't log that nobody did."""
    if not task.cancelled():
        task.exception()


class Tasks:
    """Owned tasks: all are waited for, except those that were left behind."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._failed = failed
        self._empty: asyncio.Future[None] | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run ``work`` in a task of its own; an error of it goes to ``failed``."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def leave_behind(self, task: asyncio.Task[None]) -> None:
        """As :func:`leave_behind`; it counts no more as one of ours."""
        task.remove_done_callback(self._ended)
        self._discard(task)
        leave_behind(task)

    async def wait(self) -> None:
        """Until none is left."""
        while self._running:
            self._empty = asyncio.get_running_loop().create_future()
            await self._empty

    async def stop(self) -> None:
        """Cancel all, and wait for :data:`GRACE` at most."""
        running = set(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=GRACE)
        for task in running:
            if not task.done():
                self.leave_behind(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._discard(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self._failed(error)

    def _discard(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not self._running and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)
