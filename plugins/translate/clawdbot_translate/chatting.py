"""``/lang`` and ``/auto``: what a chat sets, and who may."""

from __future__ import annotations

from msgspec.structs import replace

from clawdcore import ChatUnavailable, Message, UsageError

from . import texts
from .arguments import languages_in
from .desk import Desk
from .languages import Language, find
from .names import listed, name_in
from .settings import MOST, ChatSettings
from .translator import in_table

OFF = frozenset({"off", "none", "clear", "reset", "关", "关闭"})
ON = frozenset({"on", "开", "开启"})


async def lang(desk: Desk, message: Message, words: str) -> str:
    """Show or set the chat's languages."""
    reader, chat = message.sender.language, message.chat.id
    settings = await desk.settings.read(chat)
    if not words:
        return _told(settings, reader)
    off = words.casefold() in OFF
    languages = () if off else _codes(words, reader)
    refusal = await _refusal(desk, message)
    if refusal:
        return refusal
    settings = replace(settings, languages=languages)
    await desk.settings.keep(chat, settings)
    return _told(settings, reader)


async def auto(desk: Desk, message: Message, words: str) -> str:
    """Switch automatic translation of a group on or off, or tell how it is."""
    reader, chat = message.sender.language, message.chat.id
    if message.chat.kind == "private":
        return texts.groups_only(reader)
    settings = await desk.settings.read(chat)
    switch, _, named = words.partition(" ")
    if not words:
        on = desk.context.chats.hears(chat) and settings.auto
        return await _on(desk, chat, settings, reader) if on else texts.auto_off(reader)
    if switch.casefold() not in ON | OFF:
        raise UsageError(texts.auto_needs_languages(reader))
    targets = _codes(named, reader) if named.strip() else ()
    refusal = await _refusal(desk, message)
    if refusal:
        return refusal
    if switch.casefold() in OFF:
        await desk.context.chats.hear(chat, False)
        await desk.settings.keep(chat, replace(settings, auto=False, targets=()))
        return texts.auto_off(reader)
    if not targets and not settings.languages:
        own = find(reader)
        if own is None:
            raise UsageError(texts.auto_needs_languages(reader))
        targets = (own.code,)
    settings = replace(settings, auto=True, targets=targets)
    await desk.settings.keep(chat, settings)
    await desk.context.chats.hear(chat, True)
    return await _on(desk, chat, settings, reader)


async def _on(desk: Desk, chat: int, settings: ChatSettings, reader: str) -> str:
    """What is on, and what stands against it."""
    said = texts.auto_on(_names(settings.into(), reader), reader)
    if desk.context.chats.hears_all:
        return said
    try:
        admin = (await desk.context.chats.me(chat)).admin
    except ChatUnavailable:
        admin = False
    return said if admin else f"{said}\n\n{texts.deaf(reader)}"


async def _refusal(desk: Desk, message: Message) -> str:
    """Why the sender may not change the chat's settings, or ""."""
    if message.chat.kind == "private":
        return ""
    try:
        member = await desk.context.chats.member(message.chat.id, message.sender.id)
    except ChatUnavailable:
        return texts.rights_unknown(message.sender.language)
    return "" if member.admin else texts.admins_only(message.sender.language)


def _codes(words: str, reader: str) -> tuple[str, ...]:
    """The codes of the languages named.

    Raises:
        UsageError: a word is no language, or there are too many.
    """
    found, unknown = languages_in(words)
    if unknown:
        raise UsageError(texts.unknown_language(unknown, reader))
    if len(found) > MOST:
        raise UsageError(texts.too_many(MOST, reader))
    return tuple(language.code for language in found)


def _told(settings: ChatSettings, reader: str) -> str:
    known = settings.known()
    if not known:
        return texts.no_languages(reader)
    return texts.chat_languages(_names(known, reader), reader)


def _names(languages: list[Language], reader: str) -> str:
    return ", ".join(name_in(language, reader) for language in languages)


async def everything(desk: Desk, message: Message) -> str:
    """The answer to ``/languages``: all of them, by the reader's names."""
    reader = message.sender.language
    known = in_table(await desk.translator.languages())
    return texts.all_languages(len(known), listed(known, reader), reader)
