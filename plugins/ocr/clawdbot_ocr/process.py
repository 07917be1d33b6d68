"""The engine's process, seen from the bot: started, asked, killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import msgspec

from .failures import EngineCrashed, EngineFailed
from .wire import ANSWER_LIMIT, HEADER, Answer, Job, Setup, length, pack, unpack

QUIET: Final = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime 1.32 reports to its maker, and keeps a file
    "OMP_THREAD_LIMIT": "1",
}
"""The process tells nobody anything."""
CHUNK: Final = 1 << 16


class Process:
    """One process with one engine. It does one job at a time.

    Its end is seen to by whoever made it: :meth:`close` waits for it.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, setup: Setup, env: Mapping[str, str] | None = None) -> Process:
        """Start one; the engine is loaded with the first job. ``env`` is added to our own.

        Raises:
            EngineFailed: the system starts no process.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-B", "-P", "-m", "clawdbot_ocr.child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # libraries may print what they read
                env={**os.environ, **QUIET, **(env or {})},
                start_new_session=True,  # Ctrl-C is for the bot, which then ends it
            )
        except OSError as error:
            raise EngineFailed(
                "The text recognition engine can't be started "
                f"({error.strerror or type(error).__name__}).",
                fix="Check free memory and the limit of processes.",
            ) from error
        found = cls(process)
        try:
            await found._send(setup)
        except BaseException:
            await found.close()
            raise
        return found

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    def kill(self) -> None:
        """End it at once, whatever it does, with what it has started. Harmless twice."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Kill it, and wait until it is gone."""
        self.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            while await self._process.stdout.read(CHUNK):
                pass
        await self._process.wait()

    async def read(self, job: Job) -> Answer:
        """What it says. Left before the end, the process is of no use any more.

        Raises:
            EngineCrashed: it died.
            EngineFailed: it said what can't be understood.
        """
        await self._send(job)
        assert self._process.stdout is not None
        try:
            size = length(await self._process.stdout.readexactly(HEADER))
            if size > ANSWER_LIMIT:
                raise _garbled()
            return unpack(await self._process.stdout.readexactly(size), Answer)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise _crashed() from error
        except msgspec.MsgspecError as error:
            raise _garbled() from error

    async def _send(self, record: object) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(pack(record))
            await self._process.stdin.drain()
        except OSError as error:
            raise _crashed() from error


def _crashed() -> EngineCrashed:
    return EngineCrashed(
        "The text recognition engine's process died.",
        fix="The next picture starts a new one; if it happens again, memory may be short.",
    )


def _garbled() -> EngineFailed:
    return EngineFailed("The text recognition engine said something that can't be understood.")
