"""What commands, handlers and buttons share: the engines, the settings, and what is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final

from clawdcore import BackendError, ClawdBotError, Context, Message, Models

from . import texts
from .engines.contract import Engine
from .engines.google import Google
from .engines.libretranslate import LibreTranslate
from .engines.model import Model
from .identification import identify
from .kept import Originals
from .languages import Language
from .names import name_in
from .options import TranslateOptions
from .settings import Settings
from .translation import Job
from .translator import NoEngine, Translator

UNSENT: Final = 1000
"""Translations that may wait to be sent with their buttons, which is at once."""


class Desk:
    """One for each bot. ``wall`` gives seconds since the epoch."""

    def __init__(self, context: Context, wall: Callable[[], float]) -> None:
        self.context = context
        self.options: TranslateOptions = context.options
        self.translator = Translator(engines(self.options, context.models), context.clock)
        self.settings = Settings(context.storage)
        self.originals = Originals(context.memory, wall)
        self._done: dict[int, bool] = {}

    def finished(self, update: int) -> bool:
        """Whether the update's reply is a translation that wants buttons; asked once."""
        return self._done.pop(update, False)

    def job(self, text: str, target: Language, otherwise: Language, reader: str) -> Job:
        """``text`` to be translated, its language identified where that is sure."""
        found = identify(text)
        source = found.code if found.sure else ""
        return Job(text, target, otherwise, reader=reader, source=source)

    async def answer(
        self, job: Job, message: Message, *, translator: Translator | None = None
    ) -> AsyncGenerator[str, None]:
        """The translation in pieces, or one sentence that says why there is none.

        Raises:
            clawdcore.BackendError: the model is the only engine, and could not.
        """
        pieces = (translator or self.translator).pieces(job)
        shown: list[str] = []
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    shown.append(piece)
                    yield piece
        except NoEngine as error:
            yield ("\n\n" if shown else "") + _sentence(error, job)
            return
        self.keep(message, job, "".join(shown))

    def keep(self, message: Message, job: Job, translation: str) -> None:
        """Remember what the buttons under the reply to ``message`` will need."""
        if translation.strip() == job.text.strip():
            return  # nothing was translated, so there is no original to show
        self.originals.keep(
            message.chat.id,
            message.update_id,
            text=job.text,
            translation=translation,
            target=job.target.code,
            source=job.source,
            asker=message.sender.id,
        )
        self._done[message.update_id] = True
        while len(self._done) > UNSENT:
            del self._done[next(iter(self._done))]

    async def first_piece(self, pieces: AsyncGenerator[str, None]) -> str | None:
        """The first piece of what nobody asked for, or None when it can't be translated."""
        try:
            return await anext(pieces, None)
        except (NoEngine, BackendError):
            return None

    async def several(
        self,
        text: str,
        targets: Sequence[Language],
        message: Message,
        translator: Translator,
        *,
        before: str = "",
    ) -> AsyncGenerator[str, None]:
        """``text`` in each of ``targets``, under their names when they are several.

        ``before`` is what stands above them in the reply.

        Raises:
            NoEngine: the first can't be made.
            clawdcore.BackendError: the same.
        """
        shown: list[str] = []
        jobs = [self.job(text, target, target, message.sender.language) for target in targets]
        for number, job in enumerate(jobs):
            lead = "\n\n" if number else ""
            if len(jobs) > 1:
                lead += f"{name_in(job.target, job.target.code)}: "
            async with aclosing(translator.pieces(job)) as pieces:
                try:
                    async for piece in pieces:
                        shown.append(lead + piece)
                        lead = ""
                        yield shown[-1]
                except (NoEngine, BackendError):
                    if not shown:
                        raise  # one language that fails does not cost the others
        self.keep(message, jobs[0], before + "".join(shown))

    async def close(self) -> None:
        """Let go of every connection."""
        await self.translator.close()


def engines(options: TranslateOptions, models: Models) -> list[Engine]:
    """The engines that are configured, in their order.

    Raises:
        clawdcore.ClawdBotError: one needs what is not installed.
    """
    built: list[Engine] = []
    for name in options.engines:
        if name == "model":
            built.append(Model(models, options.model))
        elif name == "libretranslate" and options.libretranslate is not None:
            built.append(LibreTranslate(options.libretranslate))
        elif name == "google" and options.google is not None:
            built.append(Google(options.google))
    if not built:
        raise ClawdBotError(
            "the option engines names none that is configured.",
            fix='Add "model" to it, or a section libretranslate or google.',
        )
    return built


def _sentence(error: NoEngine, job: Job) -> str:
    if not error.names:
        return texts.echoed(job.target, job.reader)
    return texts.no_engine(error.names, error.seconds, job.reader)
