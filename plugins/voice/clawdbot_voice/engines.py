"""The contract of what turns speech into text, and asking several in order."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from .failures import EngineFailed, FileRefused, NotAudio
from .speech import Heard, Recording

log = logging.getLogger(__name__)


class Engine(Protocol):
    """One way to turn speech into text."""

    @property
    def name(self) -> str:
        """As in the option ``engines``."""
        ...

    def listen(self, recording: Recording) -> AsyncGenerator[Heard, None]:
        """What is said, a piece at a time. Closing it cancels the work.

        Raises:
            Unhearable: the recording is to blame.
            EngineFailed: the engine is.
        """
        ...

    async def close(self) -> None:
        """Give everything back. May be called more than once."""
        ...


class Engines:
    """Engines in the order in which they are asked; one at least."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = tuple(engines)

    async def listen(self, recording: Recording) -> AsyncGenerator[Heard, None]:
        """What the first engine hears that can; as :meth:`Engine.listen`.

        One that fails after its first text is not followed by another: what is shown
        can't be taken back. Each failure is told to the bot's owner in one line of the log.

        Raises:
            NotAudio: one engine says so, or all refuse the file.
            Unhearable: the recording is to blame in another way.
            EngineFailed: no engine could; the first one's reason.
        """
        failed: list[EngineFailed] = []
        for engine in self._engines:
            begun = False
            try:
                async with aclosing(engine.listen(recording)) as pieces:
                    async for heard in pieces:
                        begun = begun or bool(heard.text)
                        yield heard
            except EngineFailed as error:
                log.warning("speech engine %s: %s (%s)", engine.name, error, type(error).__name__)
                if begun:
                    raise
                failed.append(error)
            else:
                return
        if all(isinstance(error, FileRefused) for error in failed):
            raise NotAudio("No speech engine takes the file.") from failed[0]
        raise failed[0]

    async def close(self) -> None:
        """Close all."""
        for engine in self._engines:
            await engine.close()
