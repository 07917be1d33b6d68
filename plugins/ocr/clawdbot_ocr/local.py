"""The reader on this machine: one process, one picture at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from .codes import heard
from .failures import (
    EngineBusy,
    EngineCrashed,
    EngineFailed,
    EngineSlow,
    NoText,
    NotInstalled,
    TooLarge,
    Unreadable,
)
from .process import Process
from .reading import Picture, Reading
from .wire import Job, Setup


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is taken: bytes of a file, pixels and number of its pages.

    ``line`` is how many pictures wait, ``seconds`` how long one may take when its turn
    has come, ``idle`` how many seconds without one it takes until the engine is unloaded.
    """

    max_bytes: int
    max_pixels: int
    max_pages: int
    line: int
    seconds: float
    idle: float


class LocalReader:
    """A :class:`~clawdbot_ocr.reading.Reader` with a pool of one process.

    The engine is loaded with the first picture, and unloaded when it idles. A picture that
    is given up ends the process, since nothing else ends native code in its middle; so does
    one that takes too long. The next starts a new one. A picture that ends the process by
    itself is given to one with the engine ``spare``, if there is one. ``env`` is added to the
    process's environment.
    """

    def __init__(
        self,
        setup: Setup,
        bounds: Bounds,
        env: Mapping[str, str] | None = None,
        *,
        spare: Setup | None = None,
    ) -> None:
        self._setup = setup
        self._loaded = setup
        self._spare = spare
        self._bounds = bounds
        self._env = env
        self._turn = asyncio.Lock()
        self._inside = 0
        self._process: Process | None = None
        self._unload: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's id, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    async def read(self, picture: Picture) -> Reading:
        """As :meth:`Reader.read`."""
        if len(picture.data) > self._bounds.max_bytes:
            raise TooLarge("The picture has too many bytes.", size=len(picture.data))
        if self._inside > self._bounds.line:
            raise EngineBusy("Too many pictures wait for the text recognition engine.")
        job = Job(picture.data, self._bounds.max_pixels, self._bounds.max_pages)
        self._inside += 1
        try:
            async with self._turn:
                reading = await self._answered(job)
        finally:
            self._inside -= 1
        if not any(page.strip() for page in reading.pages):
            raise NoText("There is no text in the picture.")
        return reading

    async def _answered(self, job: Job) -> Reading:
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._tried(job)
        except TimeoutError:
            raise EngineSlow(
                f"The text recognition engine took longer than {self._bounds.seconds:g} s."
            ) from None

    async def _tried(self, job: Job) -> Reading:
        attempts = [self._setup]
        if self.pid is not None:
            # It may have died since the last picture, which this one is not to blame for.
            attempts.append(self._setup)
        if self._spare is not None:
            attempts.append(self._spare)
        crash: EngineCrashed | None = None
        for setup in attempts:
            try:
                return await self._once(job, setup)
            except EngineCrashed as error:
                crash = error
            except NotInstalled:
                if crash is None:
                    raise
        assert crash is not None
        raise crash

    async def _once(self, job: Job, setup: Setup) -> Reading:
        process = await self._started(setup)
        whole = False
        try:
            answer = await process.read(job)
            if answer.error:
                error = heard(answer)
                whole = isinstance(error, Unreadable)
                raise error
            whole = True
        finally:
            if whole:
                self._rest(process)
            else:
                await self._end()
        return Reading(answer.pages, answer.more, answer.engine)

    async def _started(self, setup: Setup) -> Process:
        if self._closed:
            raise EngineFailed("The bot is stopping.")
        if self._unload is not None:
            self._unload.cancel()
            self._unload = None
        if self._process is not None and not (self._process.alive and self._loaded == setup):
            await self._end()
        if self._process is None:
            self._process = await Process.start(setup, self._env)
            self._loaded = setup
        return self._process

    def _rest(self, process: Process) -> None:
        self._unload = asyncio.get_running_loop().call_later(self._bounds.idle, process.kill)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def close(self) -> None:
        """As :meth:`Reader.close`; whoever is waiting for a text gets an error."""
        self._closed = True
        if self._unload is not None:
            self._unload.cancel()
            self._unload = None
        if self._process is not None:
            self._process.kill()
        async with self._turn:  # who is reading reads the pipe to its end first
            await self._end()
