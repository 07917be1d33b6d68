"""The real program as a process: start, wait for it, signal it, find its worker."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from pathlib import Path
from typing import Final

from . import processes
from .site import Site, program

READY: Final = "ready:"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 100.0
LOOK: Final = 0.02
"""Seconds between two looks at a log or at /proc, which offer nothing to await."""


class Failed(Exception):
    """The program did not do what every run needs of it; says what its log ended with."""


class Program:
    """One bot, that may be started and ended many times. ``options`` follow ``run``."""

    def __init__(self, site: Site, *options: str) -> None:
        self._site = site
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._log: Path | None = None
        self._starts = 0
        self.statuses: list[int] = []
        """Exit statuses of the clean stops."""
        self.seen: set[int] = set()
        """Every worker that was seen, by process id."""

    @property
    def pid(self) -> int:
        """The process that was started: the edge."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self, *, wait: bool = True) -> None:
        """Start it, and (``wait``) see it ready.

        Raises:
            Failed: it ended, or was not ready in time.
        """
        self._starts += 1
        self._log = self._site.folder / "logs" / f"{self._starts:03}.log"
        allow_core_dumps()
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *program(), "run", "--config", str(self._site.config), *self._options,
                cwd=self._site.folder, env=self._site.environment(),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        if wait:
            await self.ready()

    async def ready(self) -> None:
        """Until it says that it is ready.

        Raises:
            Failed: it ended, or was not ready in time.
        """
        ends = asyncio.get_running_loop().time() + START_SECONDS
        while READY not in self.said():
            if not self.running:
                raise Failed(f"the bot ended while it started: {self.last_words()}")
            if asyncio.get_running_loop().time() > ends:
                raise Failed(f"the bot was not ready in {START_SECONDS} s: {self.last_words()}")
            await asyncio.sleep(LOOK)

    def said(self) -> str:
        """All that it has said since its last start."""
        assert self._log is not None
        return self._log.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """The end of what it said."""
        return " | ".join(self.said().splitlines()[-5:]) or "it said nothing"

    def worker(self) -> int | None:
        """The newest worker process, None while there is none."""
        found = processes.workers(self.pid) if self.running else []
        self.seen.update(found)
        return found[-1] if found else None

    def pids(self) -> list[int]:
        """The edge and its workers."""
        return [self.pid, *processes.workers(self.pid)]

    async def another_worker(self, than: int | None, seconds: float = 60.0) -> int:
        """The worker, once it is another one ``than`` that.

        Raises:
            Failed: none came.
        """
        ends = asyncio.get_running_loop().time() + seconds
        while (worker := self.worker()) is None or worker == than:
            if asyncio.get_running_loop().time() > ends or not self.running:
                raise Failed(f"no new worker in {seconds} s: {self.last_words()}")
            await asyncio.sleep(LOOK)
        return worker

    def kill_worker(self) -> int | None:
        """``kill -9`` of the worker; its process id, None if there was none."""
        worker = self.worker()
        return worker if worker is not None and signalled(worker, signal.SIGKILL) else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the edge."""
        signalled(self.pid, number)

    async def kill_all(self, *, at_once: bool) -> bool:
        """``kill -9`` of the edge, and (``at_once``) of all that it started.

        Returns whether no process was left soon after; leftovers are then ended.
        """
        assert self._process is not None
        workers = processes.workers(self.pid)
        self.seen.update(workers)
        if at_once:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            signalled(self.pid, signal.SIGKILL)
        await self._process.wait()
        gone = [await processes.until_gone(worker, 5.0) for worker in workers]
        for worker, ended in zip(workers, gone, strict=True):
            if not ended:
                signalled(worker, signal.SIGKILL)
        return all(gone)

    async def stop(self) -> int:
        """SIGTERM, and its exit status once it has ended.

        Raises:
            Failed: it did not end in time, or left a process behind.
        """
        assert self._process is not None
        workers = processes.workers(self.pid)
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                status = await self._process.wait()
        except TimeoutError:
            raise Failed(
                f"SIGTERM did not end it in {STOP_SECONDS} s: {self.last_words()}"
            ) from None
        self.statuses.append(status)
        for worker in workers:
            if not await processes.until_gone(worker, 5.0):
                raise Failed("the edge has ended and its worker has not")
        return status

    async def close(self) -> None:
        """End whatever still runs."""
        if self.running:
            await self.kill_all(at_once=True)


def signalled(pid: int, number: signal.Signals) -> bool:
    """Send a signal; whether there was somebody to get it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def allow_core_dumps() -> None:
    """Let what is started from here write core dumps, unless it forbids them itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
