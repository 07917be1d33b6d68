"""An event loop whose time stands still until nothing is left to do, then jumps.

A test that waits an hour takes a millisecond, and never waits for luck.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
FROZEN_WAIT: Final = 30.0
"""Real seconds without any event after which a test is told that it hangs."""


class Stuck(RuntimeError):
    """Nothing is scheduled, and nothing will ever happen."""


class _JumpingSelector(selectors.BaseSelector):
    """Waits for real only while threads or sockets may still have something."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._real = selectors.DefaultSelector()
        self._loop = loop

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Any:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        external = self._loop.external or (self._loop.watchful and self._connected())
        if external and timeout is not None:
            began = time.monotonic()
            ready = self._real.select(timeout)
            # Never less than asked for, or a timer would be a rounding error away for ever.
            self._loop.jump(time.monotonic() - began if ready else timeout)
            return ready
        if self._loop.threads_busy or external:
            ready = self._real.select(FROZEN_WAIT)
            if not ready:
                raise Stuck(f"a thread or socket gave nothing for {FROZEN_WAIT:g} s")
            return ready
        if timeout is None:
            raise Stuck("everything waits, and nothing is scheduled: a reply never came")
        self._loop.jump(timeout)
        return []

    def _connected(self) -> bool:
        """Whether anything is watched beside the pipe by which threads wake the loop."""
        return len(self._real.get_map()) > 1


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time, in seconds from 0.

    ``external`` True lets real sockets be waited for: time then runs with the
    real clock while the loop has nothing to do. ``watchful`` True does so only while a
    socket or a process is there to be waited for.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self.threads_busy = 0
        self.external = False
        self.watchful = False
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    @property
    def _clock_resolution(self) -> float:
        """The smallest step of our clock: a timer fires at its time, and never before.

        Else one fires early, finds that it is not its time yet, and is set again,
        for ever, since nothing makes the clock go on.
        """
        return math.ulp(self._now)

    @_clock_resolution.setter
    def _clock_resolution(self, seconds: float) -> None:
        """What asyncio says of the real clock means nothing here."""

    def jump(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As the base class does; the clock stands still while the thread runs."""
        self.threads_busy += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self.threads_busy -= 1
