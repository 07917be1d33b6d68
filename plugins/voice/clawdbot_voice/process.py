"""An engine's process, seen from the bot: started, asked, killed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import msgspec

from .failures import CODES, EngineCrashed, EngineFailed, EngineSlow, TooLong
from .speech import Heard
from .wire import ANSWER_LIMIT, HEADER, Answer, Job, Setup, length, pack, unpack

OFFLINE: Final = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime 1.32 reports to its maker, and keeps a file
}
"""The process asks a network for nothing, and tells it nothing."""


class Process:
    """One process with one model. It does one job at a time.

    Its end is seen to by whoever made it: :meth:`close` waits for it.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, setup: Setup, env: Mapping[str, str] | None = None) -> Process:
        """Start one; the model is loaded with the first job. ``env`` is added to our own.

        Raises:
            EngineFailed: the system starts no process.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "clawdbot_voice.child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # libraries may print what they heard
                env={**os.environ, **OFFLINE, **(env or {})},
                start_new_session=True,  # Ctrl-C is for the bot, which then ends it
            )
        except OSError as error:
            raise EngineFailed(
                f"The speech engine can't be started ({error.strerror or type(error).__name__}).",
                fix="Check free memory and the limit of processes.",
            ) from error
        found = cls(process)
        try:
            await found._send(setup)
        except EngineFailed:
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
        """End it at once, whatever it does. Harmless twice."""
        if self.alive:
            self._process.kill()

    async def close(self) -> None:
        """Kill it, and wait until it is gone."""
        self.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            while await self._process.stdout.read(ANSWER_LIMIT):
                pass
        await self._process.wait()

    async def listen(self, job: Job, *, patience: float) -> AsyncGenerator[Heard, None]:
        """What it hears. Left before the end, the process is of no use any more.

        ``patience`` is in seconds, between two signs of life.

        Raises:
            EngineCrashed: it died.
            EngineSlow: it gave no sign of life in its time.
            VoiceError: it says that it can't, and why.
        """
        await self._send(job)
        while True:
            try:
                async with asyncio.timeout(patience):
                    answer = await self._receive()
            except TimeoutError:
                raise EngineSlow(
                    f"The speech engine gave no sign of life for {patience:.0f} s."
                ) from None
            if answer.heard is not None:
                yield answer.heard
            if answer.error:
                kind = CODES.get(answer.error, EngineFailed)
                if kind is TooLong:
                    raise TooLong("The recording is too long.", seconds=answer.seconds)
                raise kind("The speech engine could not write it down.")
            if answer.over:
                return

    async def _send(self, record: object) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(pack(record))
            await self._process.stdin.drain()
        except OSError as error:
            raise self._crashed() from error

    async def _receive(self) -> Answer:
        assert self._process.stdout is not None
        try:
            size = length(await self._process.stdout.readexactly(HEADER))
            if size > ANSWER_LIMIT:
                raise EngineFailed("The speech engine said something that can't be read.")
            return unpack(await self._process.stdout.readexactly(size), Answer)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise self._crashed() from error
        except msgspec.MsgspecError as error:
            raise EngineFailed("The speech engine said something that can't be read.") from error

    def _crashed(self) -> EngineCrashed:
        return EngineCrashed(
            "The speech engine's process died.",
            fix="The next recording starts a new one; if it happens again, memory may be short.",
        )
