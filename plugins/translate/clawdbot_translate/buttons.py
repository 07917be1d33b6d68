"""The buttons under a translation: *other language* and *show original*.

Their data are the number of the update that was translated, and a language's code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from clawdcore import Button, Edit, Message, Press, Toast

from . import texts
from .arguments import split
from .desk import Desk
from .kept import Kept
from .languages import Language, find
from .names import name_in

Keyboard = tuple[tuple[Button, ...], ...]
Pressed = Toast | Edit | str | tuple[Edit, AsyncIterator[str]]

COMMON: Final = ("en", "zh", "es", "fr", "de", "ru", "ar", "pt", "ja", "hi", "it", "ko", "tr")
"""What is offered beside the languages of the chat and of the presser."""
OFFERED: Final = 12
ROW: Final = 3
"""Buttons of languages in all, and beside each other."""
MESSAGE: Final = 4096
"""UTF-16 units of one message (core.telegram.org/bots/api); what is longer is sent by itself."""


def units(text: str) -> int:
    """How long Telegram takes a text for."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def under(number: int, reader: str) -> Keyboard:
    """The buttons of a translation; ``number`` is the update's that was translated."""
    return (
        (
            Button(texts.other_language(reader), "other", str(number)),
            Button(texts.show_original(reader), "original", str(number)),
        ),
    )


def choice(number: int, languages: Sequence[Language], reader: str) -> Keyboard:
    """A button for each language, and one that leads back."""
    row = [
        Button(name_in(each, reader), "into", f"{number} {each.code}")
        for each in languages[:OFFERED]
    ]
    rows = [tuple(row[at : at + ROW]) for at in range(0, len(row), ROW)]
    return (*rows, (Button(texts.back(reader), "back", str(number)),))


class Buttons:
    """What the buttons do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def other(self, press: Press) -> Edit:
        """Offer languages in the place of the buttons."""
        number = _number(press.data)
        settings = await self._desk.settings.read(press.chat.id)
        kept = self._desk.originals.find(press.chat.id, number)
        shown = kept.target if kept is not None else ""
        codes = (*settings.languages, *settings.targets, press.language, *COMMON)
        offered = [language for language in map(find, codes) if language is not None]
        languages = [each for each in dict.fromkeys(offered) if each.code != shown]
        return Edit(buttons=choice(number, languages, press.language))

    async def back(self, press: Press) -> Edit:
        """The buttons as they were."""
        return Edit(buttons=under(_number(press.data), press.language))

    async def into(self, press: Press) -> Pressed:
        """Translate once more; the new translation answers the old one."""
        first, _, code = press.data.partition(" ")
        number, target = _number(first), find(code)
        text = self._text(press, number)
        if not text or target is None:
            return Toast(texts.not_held(press.language))
        job = self._desk.job(text, target, target, press.language)
        asked = Message(
            id=press.message.id, update_id=press.update_id, chat=press.chat, sender=press.sender
        )
        return Edit(buttons=under(number, press.language)), self._desk.answer(job, asked)

    async def original(self, press: Press) -> Pressed:
        """The text in the translation's place, or below it where it is too long."""
        number = _number(press.data)
        kept = self._kept(press, number)
        text = kept.text if kept else self._text(press, number)
        if not text:
            return Toast(texts.not_held(press.language))
        if kept is None or units(text) > MESSAGE or units(kept.translation) > MESSAGE:
            return text
        return Edit(text, self._under_original(number, press.language))

    async def translation(self, press: Press) -> Pressed:
        """The translation in its place again."""
        number = _number(press.data)
        kept = self._kept(press, number)
        if kept is None:
            return Toast(texts.not_held(press.language))
        return Edit(kept.translation, under(number, press.language))

    def _kept(self, press: Press, number: int) -> Kept | None:
        return self._desk.originals.find(press.chat.id, number)

    def _text(self, press: Press, number: int) -> str:
        """The original: kept, or as it stands in the message that the translation answers."""
        kept = self._kept(press, number)
        if kept is not None:
            return kept.text
        asked = press.message.reply_to
        if asked is None:
            return ""
        if asked.command in {"translate", "tr"}:
            return split(asked.args, quoting=asked.reply_to is not None)[1]
        return "" if asked.command else asked.body

    @staticmethod
    def _under_original(number: int, reader: str) -> Keyboard:
        return (
            (
                Button(texts.other_language(reader), "other", str(number)),
                Button(texts.show_translation(reader), "translation", str(number)),
            ),
        )


def _number(data: str) -> int:
    """The update's number; 0, which is nobody's, for what a client made up."""
    return int(data) if data.isascii() and data.isdecimal() and len(data) < 20 else 0
