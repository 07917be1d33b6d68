"""Engines that run on this machine: one process, one recording at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from .failures import EngineBusy, EngineCrashed, EngineFailed, Unhearable
from .process import Process
from .speech import Heard, Recording
from .wire import Job, Setup


class LocalEngine:
    """A pool of one process. The model is loaded once, and unloaded when it idles.

    A recording that is given up ends the process, since nothing else ends native
    code in its middle; so does one that takes too long. The next starts a new one.

    ``setup`` is asked when a process is started, and raises
    :class:`~clawdbot_voice.failures.EngineFailed` where the model is not here.
    ``line`` bounds the recordings that wait; ``most`` is the seconds of a recording,
    ``patience`` those between two signs of life, ``idle`` those until the model is
    unloaded. ``env`` is added to the process's environment.
    """

    def __init__(
        self,
        name: str,
        setup: Callable[[], Setup],
        *,
        line: int,
        most: float,
        patience: float,
        idle: float,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._setup = setup
        self._line = line
        self._most = most
        self._patience = patience
        self._idle = idle
        self._env = env
        self._turn = asyncio.Lock()
        self._inside = 0
        self._process: Process | None = None
        self._unload: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """As :attr:`Engine.name`."""
        return self._name

    @property
    def pid(self) -> int | None:
        """The process's id, None while there is none."""
        running = self._process is not None and self._process.alive
        return self._process.pid if running and self._process is not None else None

    async def listen(self, recording: Recording) -> AsyncGenerator[Heard, None]:
        """As :meth:`Engine.listen`."""
        if self._inside > self._line:
            raise EngineBusy("Too many recordings wait for the speech engine.")
        self._inside += 1
        try:
            async with self._turn:
                pieces = self._heard(recording)
                async with aclosing(pieces):
                    async for heard in pieces:
                        yield heard
        finally:
            self._inside -= 1

    async def _heard(self, recording: Recording) -> AsyncGenerator[Heard, None]:
        warm = self.pid is not None
        begun = False
        try:
            async with aclosing(self._once(recording)) as pieces:
                async for heard in pieces:
                    begun = True
                    yield heard
            return
        except EngineCrashed:
            if begun or not warm:
                raise
        # It may have died since the last recording, which this one is not to blame for.
        async with aclosing(self._once(recording)) as pieces:
            async for heard in pieces:
                yield heard

    async def _once(self, recording: Recording) -> AsyncGenerator[Heard, None]:
        process = await self._started()
        job = Job(recording.data, recording.language, self._most)
        whole = False
        try:
            async with aclosing(process.listen(job, patience=self._patience)) as pieces:
                async for heard in pieces:
                    yield heard
            whole = True
        except Unhearable:
            whole = True
            raise
        finally:
            if whole:
                self._rest()
            else:
                await self._end()

    async def _started(self) -> Process:
        if self._closed:
            raise EngineFailed("The bot is stopping.")
        if self._unload is not None:
            self._unload.cancel()
            self._unload = None
        if self._process is not None and not self._process.alive:
            await self._end()
        if self._process is None:
            self._process = await Process.start(self._setup(), self._env)
        return self._process

    def _rest(self) -> None:
        if self._process is not None:
            loop = asyncio.get_running_loop()
            self._unload = loop.call_later(self._idle, self._process.kill)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def close(self) -> None:
        """As :meth:`Engine.close`; whoever is listening gets an error."""
        self._closed = True
        if self._unload is not None:
            self._unload.cancel()
            self._unload = None
        if self._process is not None:
            self._process.kill()
        async with self._turn:  # who is listening reads the pipe to its end first
            await self._end()
