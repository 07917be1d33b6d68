"""Programs that run on one core, write to a log of their own, and end with the run."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 20.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started in the body runs on one core; this process doesn't move for longer."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Pinned:
    """A program that was started. ``log`` is the file with all that it says."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def ended(self) -> int | None:
        """Its exit status, None while it runs."""
        return self.process.returncode

    def last_words(self) -> str:
        """The last line that it wrote."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@asynccontextmanager
async def running(
    command: Sequence[str], *, core: int, folder: Path, log: Path, env: Mapping[str, str]
) -> AsyncIterator[Pinned]:
    """Run a program for the body of an ``async with``.

    Raises:
        OSError: there is no such program, or it can't be run.
    """
    with log.open("wb") as said, on_core(core):
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=dict(env), stdin=asyncio.subprocess.DEVNULL,
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        yield Pinned(process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, and SIGKILL for all of its session where that is not enough."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def output_of(command: Sequence[str], *, core: int, folder: Path) -> bytes:
    """Run a program to its end and give what it printed.

    Raises:
        RuntimeError: it failed; says the last line of its errors.
    """
    with on_core(core):
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    try:
        printed, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"the load ended with status {process.returncode}: {lines[-1]}")
    return printed


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, 0 of one that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
