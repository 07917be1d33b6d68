"""Tries the engines in their order until one has translated; knows which of them rest."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from clawdcore import BackendError, ClawdBotError, Overloaded

from .echo import is_echo, may_stay, translatable
from .engines.contract import Engine, EngineBusy, EngineFailed, RefusedByEngine, Streaming
from .engines.health import Health
from .languages import Language, languages
from .plain import translate_plainly
from .prompt import WIDE
from .scripts import LETTERS_OF_DENSE, main_script
from .splitting import split
from .translation import Job, NotTranslated

log = logging.getLogger(__name__)


class NoEngine(ClawdBotError):
    """No engine could translate; ``seconds`` until one that rests may be asked again.

    ``names`` are those that failed or rest; none: all took the text for untranslatable.
    """

    def __init__(self, names: Sequence[str], seconds: float) -> None:
        super().__init__("no translation engine could translate the text.")
        self.names = tuple(names)
        self.seconds = seconds


class Translator:
    """The configured engines, in order. ``clock`` gives seconds that only move forward."""

    def __init__(self, engines: Sequence[Engine], clock: Callable[[], float]) -> None:
        self.engines = tuple(engines)
        self._clock = clock
        self._health = Health()

    @property
    def plain(self) -> Translator | None:
        """The engines that need no model, sharing what is known of them.

        None without any, and while all of them rest.
        """
        engines = [engine for engine in self.engines if not isinstance(engine, Streaming)]
        now = self._clock()
        if all(self._health.rest(engine.name, now) for engine in engines):
            return None
        without = Translator(engines, self._clock)
        without._health = self._health
        return without

    async def pieces(self, job: Job) -> AsyncGenerator[str, None]:
        """The translation of ``job.text`` in pieces; long texts part by part.

        Raises:
            NoEngine: none of several engines could, or no answer was a translation.
            clawdcore.BackendError: the only engine is the model, and it could not.
        """
        limit = self._limit(job.text)
        target = job.target
        for part in split(job.text, limit):
            if part.wanted and translatable(part.text):
                one = replace(job, text=part.text, target=target)
                async with aclosing(self._part(one)) as pieces:
                    async for piece in pieces:
                        yield piece
            elif part.text:
                yield part.text
            if part.gap:
                yield part.gap

    async def languages(self) -> frozenset[str]:
        """Codes of all that the engines translate into; those that can't be asked add none."""
        union: set[str] = set()
        for engine in self.engines:
            try:
                union |= await engine.languages()
            except EngineFailed as error:
                self._failed(engine, error)
        return frozenset(union)

    def _limit(self, text: str) -> int:
        """Characters of one part that every engine takes."""
        dense = main_script(text) in WIDE
        return min(
            engine.limit // LETTERS_OF_DENSE
            if dense and isinstance(engine, Streaming)
            else engine.limit
            for engine in self.engines
        )

    async def close(self) -> None:
        """Close every engine."""
        for engine in self.engines:
            await engine.close()

    def _rests(self, engine: Engine) -> bool:
        """Whether it is passed over. The only one is asked again, unless it forbids that."""
        now = self._clock()
        if len(self.engines) == 1:
            return self._health.told(engine.name, now) > 0
        return self._health.rest(engine.name, now) > 0

    def _failed(self, engine: Engine, error: BackendError | EngineFailed) -> None:
        """It rests; the bot's owner is told once for each rest. Models' troubles the core tells."""
        if isinstance(error, Overloaded | EngineBusy | RefusedByEngine):
            return  # busy is not ill: ask it again
        rest = error.rest if isinstance(error, EngineFailed) else None
        now = self._clock()
        if self._health.failed(engine.name, now, rest) and isinstance(error, EngineFailed):
            seconds = self._health.rest(engine.name, now)
            log.warning("%s It rests for %.0f s.", error, seconds)

    async def _part(self, job: Job) -> AsyncGenerator[str, None]:
        down: list[str] = []
        error: BackendError | None = None
        for engine in self.engines:
            if self._rests(engine):
                down.append(engine.name)
                continue
            shown = False
            try:
                async with aclosing(_translated(engine, job)) as pieces:
                    async for piece in pieces:
                        shown = True
                        yield piece
            except (NotTranslated, RefusedByEngine):
                continue
            except (BackendError, EngineFailed) as failed:
                if shown:
                    raise
                self._failed(engine, failed)
                error = failed if isinstance(failed, BackendError) else error
                down.append(engine.name)
                continue
            self._health.succeeded(engine.name)
            return
        if error is not None and len(down) == len(self.engines) == 1:
            raise error
        raise NoEngine(down, self._health.shortest(down, self._clock()))


async def _translated(engine: Engine, job: Job) -> AsyncGenerator[str, None]:
    if isinstance(engine, Streaming):
        async with aclosing(engine.stream(job)) as pieces:
            async for piece in pieces:
                yield piece
        return
    answer = await translate_plainly(engine, job.text, job.source, job.target)
    if is_echo(answer, job.text) and not may_stay(job.text):
        if job.otherwise == job.target:
            raise NotTranslated
        answer = await translate_plainly(engine, job.text, job.source, job.otherwise)
    yield answer


def in_table(codes: frozenset[str]) -> list[Language]:
    """The languages of these codes, in the table's order."""
    return [language for language in languages() if language.code in codes]


__all__ = ["NoEngine", "Translator", "in_table"]
