"""What is translated unasked: foreign messages while ``/auto`` is on, and foreign files.

A picture or a voice note whose text is foreign comes back as text and translation in
one reply. Everything else is passed on, so that the plugins that read it answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Final

from clawdcore import PASS, BackendError, Message

from . import texts
from .desk import Desk
from .languages import Language, find
from .settings import ChatSettings
from .targets import foreign, wanted
from .translator import NoEngine, Translator

GAP: Final = "\n\n→ "
"""Between what was read and its translation."""


class Automatic:
    """The handlers of messages that are no command."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def text(self, message: Message, translator: Translator | None = None) -> Any:
        """The translation of a message of a group that is on, if it is foreign; else PASS."""
        settings = await self._on(message)
        if settings is None or message.addressed or message.command or message.edited:
            return PASS
        if len(message.body) > self._desk.options.max_characters:
            return PASS
        targets = wanted(message.body, settings.into(), settings.known())
        if not targets:
            return PASS
        pieces = self._desk.several(
            message.body, targets, message, translator or self._desk.translator
        )
        first = await self._desk.first_piece(pieces)
        return PASS if first is None else _with(first, pieces)

    async def file(self, message: Message, translator: Translator | None = None) -> Any:
        """What readers make of the files and its translation, if that is foreign; else PASS."""
        settings = await self._on(message)
        if message.command or message.edited or (message.addressed and message.body):
            return PASS  # with words to it, somebody wants something else
        if settings is None and not message.addressed:
            return PASS
        text = (await message.text()).strip()
        if not text or len(text) > self._desk.options.max_characters:
            return PASS
        targets = await self._targets(message, text, settings)
        if not targets:
            return PASS
        return self._both(message, text, targets, translator or self._desk.translator)

    async def _targets(
        self, message: Message, text: str, settings: ChatSettings | None
    ) -> list[Language]:
        if settings is not None:
            return wanted(text, settings.into(), settings.known())
        set_here = (await self._desk.settings.read(message.chat.id)).known()
        own = find(message.sender.language)
        known = set_here or ([own] if own is not None else [])
        return known[:1] if known and foreign(text, known) else []

    async def _both(
        self, message: Message, text: str, targets: Sequence[Language], translator: Translator
    ) -> AsyncIterator[str]:
        """First the text that was read, then its translation, or why there is none."""
        yield text
        lead = GAP
        try:
            async with aclosing(
                self._desk.several(text, targets, message, translator, before=text + GAP)
            ) as pieces:
                async for piece in pieces:
                    yield lead + piece
                    lead = ""
        except (NoEngine, BackendError):
            yield f"\n\n[{texts.not_translated(message.sender.language)}]"

    async def _on(self, message: Message) -> ChatSettings | None:
        """The chat's settings while automatic translation is on there."""
        if message.chat.kind == "private" or not self._desk.context.chats.hears(message.chat.id):
            return None
        settings = await self._desk.settings.read(message.chat.id)
        return settings if settings.auto else None


async def _with(first: str, pieces: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    async with aclosing(pieces):
        yield first
        async for piece in pieces:
            yield piece
