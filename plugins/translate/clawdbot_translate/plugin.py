"""The plugin's hooks: which functions stand behind which commands, handlers and buttons."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec.structs import replace
from pydantic import BaseModel

from clawdcore import (
    PASS,
    Context,
    Message,
    Needs,
    Press,
    RegisterButton,
    RegisterCommand,
    RegisterHandler,
    Reply,
    Scope,
    hookimpl,
)

from . import chatting, texts
from .automatic import Automatic
from .buttons import Buttons, under
from .desk import Desk
from .languages import Language
from .options import TranslateOptions
from .requests import detected, translation

GOOGLE: Final = "https://translation.googleapis.com"


class Translate:
    """One for each bot. ``wall`` gives seconds since the epoch."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._made: Desk | None = None

    def _desk(self, context: Context) -> Desk:
        if self._made is None:
            self._made = Desk(context, self._wall)
        return self._made

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        """As :func:`clawdcore.hooks.hookspecs.options_model`."""
        return TranslateOptions

    @hookimpl
    def needs(self, options: TranslateOptions) -> Needs:
        """As :func:`clawdcore.hooks.hookspecs.needs`; of engines those that are set up."""
        addresses = []
        if options.libretranslate is not None:
            addresses.append(options.libretranslate.url)
        if options.google is not None:
            addresses.append(options.google.endpoint or GOOGLE)
        hosts = tuple(urlsplit(each).hostname or "" for each in addresses)
        return Needs(hosts=hosts, keeps="each chat's languages, and whether /auto is on")

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        """Adds ``/translate``, ``/tr``, ``/lang``, ``/auto``, ``/detect`` and ``/languages``."""
        desk = self._desk(context)

        async def cheaper(
            message: Message, language: Language | None = None, text: str = ""
        ) -> Any:
            plain = desk.translator.plain
            if plain is None:
                return PASS
            return translation(desk, message, language, text, translator=plain)

        @register("translate", "tr", example="/translate french Good morning!", cheaper=cheaper)
        async def translate(
            message: Message, language: Language | None = None, text: str = ""
        ) -> AsyncIterator[str]:
            """Translate a text, or the message you reply to"""
            return translation(desk, message, language, text)

        @register("lang", example="/lang en zh")
        async def lang(message: Message, languages: str = "") -> str:
            """Show or set the languages of this chat"""
            return await chatting.lang(desk, message, languages.strip())

        @register("auto", example="/auto on en")
        async def auto(message: Message, languages: str = "") -> str:
            """Translate everything foreign in this group: on or off"""
            return await chatting.auto(desk, message, languages.strip())

        @register("detect", example="/detect Guten Morgen!")
        async def detect(message: Message, text: str = "") -> str:
            """Tell which language a text is in"""
            return await detected(desk, message, text)

        @register("languages", example="/languages")
        async def languages(message: Message) -> str:
            """List all languages that I translate into"""
            return await chatting.everything(desk, message)

    @hookimpl
    def register_handlers(self, register: RegisterHandler, context: Context) -> None:
        """Adds what happens unasked.

        They hear those who speak to the bot, and everybody where :meth:`Chats.hear` is on.
        """
        desk = self._desk(context)
        automatic = Automatic(desk)

        async def text(message: Message) -> Any:
            return await automatic.text(message)

        async def plain_text(message: Message) -> Any:
            plain = desk.translator.plain
            return PASS if plain is None else await automatic.text(message, plain)

        async def file(message: Message) -> Any:
            return await automatic.file(message)

        async def plain_file(message: Message) -> Any:
            plain = desk.translator.plain
            return PASS if plain is None else await automatic.file(message, plain)

        register("text", cheaper=plain_text)(text)
        files = register("photo", "voice", "audio", "video_note", "document", cheaper=plain_file)
        files(file)

    @hookimpl
    def register_buttons(self, register: RegisterButton, context: Context) -> None:
        """Adds what the buttons under a translation do."""
        buttons = Buttons(self._desk(context))

        @register("other")
        async def other(press: Press) -> Any:
            return await buttons.other(press)

        @register("back")
        async def back(press: Press) -> Any:
            return await buttons.back(press)

        @register("into")
        async def into(press: Press) -> Any:
            return await buttons.into(press)

        @register("original")
        async def original(press: Press) -> Any:
            return await buttons.original(press)

        @register("translation")
        async def shown(press: Press) -> Any:
            return await buttons.translation(press)

    @hookimpl
    async def prepare_reply(self, reply: Reply, message: Message, context: Context) -> Reply | None:
        """Puts the buttons under a translation; a stream of text can't bring its own."""
        if not self._desk(context).finished(message.update_id):
            return None
        return replace(reply, buttons=under(message.update_id, message.sender.language))

    @hookimpl
    def forget(self, scope: Scope, language: str, context: Context) -> str | None:
        """Erases the texts that were kept for buttons; what is set the core erases."""
        count = self._desk(context).originals.forget(scope)
        return texts.forgotten(count, language) if count else None

    @hookimpl
    def privacy_notes(self, language: str, context: Context) -> str | None:
        """Names the services that texts may go to."""
        places = [engine.where for engine in self._desk(context).translator.engines]
        named = [place for place in places if place]
        return texts.leaves(named, language) if named else None

    @hookimpl
    async def shutdown(self, context: Context) -> None:
        """Closes connections."""
        if self._made is not None:
            await self._made.close()
