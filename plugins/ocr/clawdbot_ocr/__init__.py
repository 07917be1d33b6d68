"""OCR: the text in pictures, by ``/ocr``, by itself in private chats, and for others."""

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

from . import texts
from .choosing import reader as chosen
from .options import OcrOptions
from .reading import Reader
from .recognition import Recognition, pictures_of

__version__ = "0.1.0"
__all__ = ["Ocr", "OcrOptions"]


class Ocr:
    """The plugin: one for each bot, since it owns the engine's process."""

    def __init__(self, reader: Callable[[OcrOptions], Reader] = chosen) -> None:
        self._choose = reader
        self._reader: Reader | None = None
        self._recognition: Recognition | None = None

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        """As :func:`clawdcore.hooks.hookspecs.options_model`."""
        return OcrOptions

    @hookimpl
    def register_readers(self, register: RegisterReader, context: Context) -> None:
        """Makes text of pictures for everybody who awaits ``message.text()``."""
        recognition = self._ready(context)

        @register("photo", "document")
        async def read(attachment: Attachment) -> object:
            return await recognition.read(attachment)

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        """Adds ``/ocr``."""
        recognition = self._ready(context)

        @register("ocr", example="/ocr")
        async def ocr(message: Message) -> AsyncIterator[str]:
            """Read the text in the picture you reply to"""
            source = message
            pictures = pictures_of(message)
            if not pictures and message.reply_to is not None:
                source = message.reply_to
                pictures = pictures_of(source)
            language = message.sender.language
            if not pictures:
                told = texts.nothing_given if message.reply_to is None else texts.nothing_quoted
                raise UsageError(told(language))
            async for piece in recognition.stream(source, pictures, language):
                yield piece

    @hookimpl
    def register_handlers(self, register: RegisterHandler, context: Context) -> None:
        """Reads what comes in private chats, where the option ``auto`` is on."""
        options: OcrOptions = context.options
        recognition = self._ready(context)
        if not options.auto:
            return

        @register("photo", "document")
        async def read_it(message: Message) -> object:
            pictures = pictures_of(message)
            if message.chat.kind != "private" or message.body or not pictures:
                return PASS
            return recognition.stream(message, pictures, message.sender.language)

    @hookimpl
    async def shutdown(self) -> None:
        """Ends the engine's process."""
        if self._reader is not None:
            await self._reader.close()

    def _ready(self, context: Context) -> Recognition:
        """The same for all hooks, whichever is called first."""
        if self._recognition is None:
            self._reader = self._choose(context.options)
            self._recognition = Recognition(self._reader, context.options)
        return self._recognition
