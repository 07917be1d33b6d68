"""The story of a translation: ask, hold back until it is no echo, show, or ask once more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from clawdcore import Chunk, Models, Request

from . import texts
from .cleaning import clean, settled
from .echo import is_echo, is_translation, may_stay, translatable, undecided
from .languages import Language
from .prompt import Way, ask
from .protection import lost


class NotTranslated(Exception):
    """What came is no translation, in either way of asking. It quotes nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """A text to translate, and for whom.

    ``otherwise`` is where to translate when the text turns out to be in
    ``target`` already; ``reader`` is the IETF tag of who asked, ``model`` a
    "provider/model" or "" for the configured ones. ``source`` is the code of the
    text's language, "" where that is not sure.
    """

    text: str = field(repr=False)
    target: Language
    otherwise: Language
    reader: str = ""
    model: str = ""
    source: str = ""

    def request(self, target: Language, way: Way) -> Request:
        """What the model is asked."""
        question = ask(self.text, target, way)
        return Request(
            turns=question.turns,
            model=self.model,
            max_tokens=question.max_tokens,
            temperature=question.temperature,
            stop=question.stop,
            shared=True,
        )


@dataclass(slots=True)
class Answer:
    """One answer as it grows: ``shown`` of it can't be taken back.

    A source with links, names or code in it is held back to its end: whether one
    is lost shows only there.
    """

    source: str = field(repr=False)
    target: Language
    raw: str = field(default="", repr=False)
    shown: str = field(default="", repr=False)
    cut: bool = field(default=False)
    held: bool = field(default=False)

    def take(self, chunk: Chunk) -> str:
        """What may be shown after ``chunk``, which is "" while it may be no translation."""
        self.raw += chunk.text
        self.cut = self.cut or chunk.finish == "length"
        if self.held:
            return ""
        safe = settled(self.raw, self.source)
        if not self.shown and undecided(safe, self.source, self.target):
            return ""
        return self._grow(safe)

    def rest(self) -> str:
        """What is left to show of a finished answer."""
        return self._grow(clean(self.raw, self.source))

    @property
    def good(self) -> bool:
        """Whether a finished answer may be shown: a translation, and whole."""
        if self.shown:
            return True
        return not self.cut and is_translation(
            clean(self.raw, self.source), self.source, self.target
        )

    def _grow(self, text: str) -> str:
        if not text.startswith(self.shown):
            return ""
        piece = text[len(self.shown) :]
        self.shown = text
        return piece


async def translated(models: Models, job: Job) -> AsyncGenerator[str, None]:
    """The translation of ``job.text`` in pieces.

    A text without anything to translate comes back as it is. One that may be a
    name comes back when two different prompts leave it as it is. A link or the like
    that both prompts lose is put at the end.

    Raises:
        NotTranslated: two different prompts gave no translation.
        clawdcore.BackendError: no model could answer.
    """
    if not translatable(job.text):
        yield job.text
        return
    held = bool(lost("", job.text))
    maimed = ""  # a translation that has lost a link or the like
    for way in Way:
        first = way is Way.TURNS or bool(maimed)
        answer = Answer(job.text, job.target if first else job.otherwise, held=held)
        async with _closing(models.generate(job.request(answer.target, way))) as chunks:
            async for chunk in chunks:
                piece = answer.take(chunk)
                if piece:
                    yield piece
        if not answer.good:
            continue
        rest = answer.rest()
        if held and lost(rest, job.text):
            maimed = maimed or rest
            continue
        yield rest
        if answer.cut:
            yield f"…\n\n[{texts.cut_off(job.reader)}]"
        return
    if maimed:
        yield " ".join([maimed, *lost(maimed, job.text)])
    elif may_stay(job.text) and is_echo(answer.raw, job.text):
        yield job.text
    else:
        raise NotTranslated


@asynccontextmanager
async def _closing(chunks: AsyncIterator[Chunk]) -> AsyncIterator[AsyncIterator[Chunk]]:
    """Close the generation at the end, so that one given up stops on the server too."""
    try:
        yield chunks
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
