"""What an engine is: texts in, the same number of texts out, and a list of languages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from clawdcore import ClawdBotError

from ..languages import Language
from ..translation import Job


class EngineFailed(ClawdBotError):
    """An engine is down, slow, or answers something else; ``engine`` is its name.

    ``rest`` is how many seconds the service wants to be left alone, None where it says nothing.
    """

    def __init__(self, engine: str, what: str, *, fix: str = "", rest: float | None = None) -> None:
        super().__init__(f"the translation engine {engine} {what}.", fix=fix)
        self.engine = engine
        self.rest = rest


class EngineBusy(EngineFailed):
    """It has as much to do as it takes, and is not ill: the next engine is asked at once."""


class RefusedByEngine(EngineFailed):
    """It works, but takes no request like this one: too long, or an unknown language."""


class Engine(Protocol):
    """One way to translate.

    ``name`` is the word in the configuration, ``limit`` the characters of one text
    at most. ``where`` says to whom texts go, "" when they stay on the machine.
    """

    @property
    def name(self) -> str: ...
    @property
    def limit(self) -> int: ...
    @property
    def where(self) -> str: ...

    async def languages(self) -> frozenset[str]:
        """Codes, as in our table, of the languages that it translates into.

        Raises:
            EngineFailed: it can't be asked.
        """
        ...

    async def translate(self, texts: Sequence[str], source: str, target: Language) -> list[str]:
        """The translations, in order. ``source`` is a code of our table, or "" for unknown.

        Raises:
            EngineFailed: it is down.
            EngineBusy: it has as much to do as it takes.
            RefusedByEngine: it does not take these texts, or not this pair of languages.
            clawdcore.BackendError: a model could not answer.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """An engine that can show its translation while it grows."""

    def stream(self, job: Job) -> AsyncGenerator[str, None]:
        """The translation of ``job.text`` in pieces.

        Raises:
            clawdbot_translate.translation.NotTranslated: what came is no translation.
            clawdcore.BackendError: no model could answer.
        """
        ...
