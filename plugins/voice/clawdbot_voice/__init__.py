"""Voice: speech written down, by ``/transcribe``, by itself in private chats, and for others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel

from clawdcore import (
    PASS,
    Attachment,
    Context,
    Message,
    RegisterCommand,
    RegisterHandler,
    RegisterReader,
    UsageError,
    hookimpl,
)

from . import languages, texts, weights
from .choosing import engine as chosen
from .engines import Engine, Engines
from .listening import SPOKEN, Listening, recording_of
from .options import EngineName, VoiceOptions

__version__ = "0.1.0"
__all__ = ["Voice", "VoiceOptions"]

Choose = Callable[[EngineName, VoiceOptions, Context], Engine]
"""Makes an engine of a name; nothing is started yet."""


class Voice:
    """The plugin: one for each bot, since it owns the engines' processes."""

    def __init__(self, engine: Choose = chosen) -> None:
        self._choose = engine
        self._listening: Listening | None = None
        self._engines: Engines | None = None

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        """As :func:`clawdcore.hooks.hookspecs.options_model`."""
        return VoiceOptions

    @hookimpl
    def register_readers(self, register: RegisterReader, context: Context) -> None:
        """Makes text of speech for everybody who awaits ``message.text()``."""
        listening = self._ready(context)

        @register(*SPOKEN, "video", "document")
        async def read(attachment: Attachment) -> object:
            return await listening.read(attachment)

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        """Adds ``/transcribe``."""
        listening = self._ready(context)

        @register("transcribe", example="/transcribe es")
        async def transcribe(message: Message, language: str = "") -> AsyncIterator[str]:
            """Write down what is said in the recording you reply to"""
            reader = message.sender.language
            spoken = _spoken(language, reader)
            source = message
            recording = recording_of(message)
            if recording is None and message.reply_to is not None:
                source = message.reply_to
                recording = recording_of(source)
            if recording is None:
                told = texts.nothing_given if message.reply_to is None else texts.nothing_quoted
                raise UsageError(told(reader))
            async for piece in listening.stream(source, recording, reader, spoken):
                yield piece

    @hookimpl
    def register_handlers(self, register: RegisterHandler, context: Context) -> None:
        """Writes down what comes in private chats, where the option ``auto`` is on."""
        options: VoiceOptions = context.options
        listening = self._ready(context)
        if not options.auto:
            return

        @register(*SPOKEN)
        async def write_down(message: Message) -> object:
            recording = recording_of(message)
            if message.chat.kind != "private" or recording is None:
                return PASS
            return listening.stream(message, recording, message.sender.language)

    @hookimpl
    async def shutdown(self) -> None:
        """Ends the engines' processes."""
        if self._engines is not None:
            await self._engines.close()

    @hookimpl
    def privacy_notes(self, language: str, context: Context) -> str | None:
        """Names the server that recordings are sent to."""
        options: VoiceOptions = context.options
        if "server" not in options.engines:
            return None
        return texts.leaves(options.server_model.partition("/")[0], language)

    def _ready(self, context: Context) -> Listening:
        """The same for all hooks, whichever is called first."""
        if self._listening is None:
            options: VoiceOptions = context.options
            self._engines = Engines(
                [self._choose(name, options, context) for name in options.engines]
            )
            local = [name for name in options.engines if name != "server"]
            fetching = weights.command(local[0] if local else "faster-whisper", options.model)
            self._listening = Listening(self._engines, options, fetching)
        return self._listening


def _spoken(words: str, reader: str) -> str:
    """The code of the language after the command, "" where none is named."""
    if not words:
        return ""
    try:
        return languages.spoken(words, reader)
    except ValueError:
        raise UsageError(texts.no_language(reader)) from None
