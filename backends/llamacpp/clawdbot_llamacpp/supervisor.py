"""Keeps one engine alive: starts it again when it dies, more slowly each time it does so soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from clawdcore import BackendUnavailable

from .launch import EngineFailed, ending

log = logging.getLogger(__name__)

LASTING: Final = 60.0
"""Seconds after which an engine's end no longer counts as quick."""
FIRST_DELAY: Final = 0.5
QUICK_CRASHES: Final = 5
"""After so many quick ends in a row it rests."""
REST: Final = 60.0
MAX_REST: Final = 600.0
PATIENCE: Final = 60.0
"""Seconds that a request without a deadline waits for a restart."""


class Running(Protocol):
    """What is supervised."""

    async def wait(self) -> int:
        """Wait for its end; the exit status, negative for a signal."""

    async def stop(self) -> None:
        """End it."""


EngineT = TypeVar("EngineT", bound=Running)


class Backoff:
    """How long to wait before the next start; all times in seconds."""

    def __init__(self) -> None:
        self.crashes = 0

    @property
    def resting(self) -> bool:
        """Whether it has ended so often that a request should not wait for it."""
        return self.crashes >= QUICK_CRASHES

    def ended(self, uptime: float) -> float:
        """The engine ended after ``uptime``, 0 if it never started; returns the delay."""
        self.crashes = 1 if uptime >= LASTING else self.crashes + 1
        if self.resting:
            return float(min(MAX_REST, REST * 2 ** (self.crashes - QUICK_CRASHES)))
        return float(FIRST_DELAY * 2 ** (self.crashes - 1))


class Supervisor(Generic[EngineT]):
    """Owns the engine and the task that watches it.

    ``launch`` starts an engine and raises :class:`EngineFailed`. ``sleep`` and
    the running loop's clock decide when the next start is due.
    """

    def __init__(
        self,
        launch: Callable[[], Awaitable[EngineT]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._launch = launch
        self._sleep = sleep
        self._backoff = Backoff()
        self._engine: EngineT | None = None
        self._held: EngineT | None = None  # the last one that was launched, running or not
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._next_start = 0.0
        self._reason = ""

    @property
    def engine(self) -> EngineT | None:
        """The engine that runs now, if one does."""
        return self._engine

    async def start(self) -> None:
        """Start the engine. Raises :class:`EngineFailed` if it doesn't start at once."""
        self._engine = self._held = await self._launch()
        self._task = asyncio.create_task(self._keep(self._engine), name="llamacpp-supervisor")

    async def close(self) -> None:
        """End the engine and stop watching. May be called in any state, more than once."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._announce(None)
        if self._held is not None:
            await self._held.stop()

    async def ready(self, deadline: float | None, *, lost: EngineT | None = None) -> EngineT:
        """The running engine; waits for a restart until ``deadline`` of the loop's clock.

        ``lost`` is one that the caller could not reach, and does not want again.

        Raises:
            BackendUnavailable: there is none, and none is due in time.
        """
        loop = asyncio.get_running_loop()
        limit = loop.time() + PATIENCE if deadline is None else deadline
        while (engine := self._engine) is None or engine is lost:
            if self._task is None or self._backoff.resting or self._next_start > limit:
                raise self._down()
            try:
                async with asyncio.timeout_at(limit):
                    await self._changed.wait()
            except TimeoutError:
                raise self._down() from None
        return engine

    async def _keep(self, engine: EngineT) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            status = await engine.wait()
            uptime = loop.time() - began
            self._announce(None)
            await engine.stop()
            self._reason = f"it ended ({ending(status)})"
            engine = await self._again(uptime)

    async def _again(self, uptime: float) -> EngineT:
        """Start a new engine, however many tries it takes."""
        loop = asyncio.get_running_loop()
        while True:
            delay = self._backoff.ended(uptime)
            self._next_start = loop.time() + delay
            log.warning("llama.cpp: %s; next start in %.1f s", self._reason, delay)
            self._announce(None)  # who waits sees when the next start is due
            await self._sleep(delay)
            try:
                engine = self._held = await self._launch()
            except EngineFailed as error:
                self._reason = error.what
                uptime = 0.0
            else:
                log.info("llama.cpp runs again")
                self._announce(engine)
                return engine

    def _announce(self, engine: EngineT | None) -> None:
        self._engine = engine
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _down(self) -> BackendUnavailable:
        if self._task is None:
            return BackendUnavailable("llama.cpp is not started.")
        wait = max(0.0, self._next_start - asyncio.get_running_loop().time())
        if self._backoff.resting:
            return BackendUnavailable(
                f"llama.cpp failed {self._backoff.crashes} times in a row, last: "
                f"{self._reason.rstrip('.')}; the next try is in {wait:.0f} s.",
                fix="Check memory (dmesg shows a kill), or choose a smaller model or context.",
            )
        return BackendUnavailable(
            f"llama.cpp is being started again ({self._reason.rstrip('.')}).",
            fix="Ask again in a few seconds.",
        )
