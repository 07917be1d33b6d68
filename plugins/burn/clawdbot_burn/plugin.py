"""``/burn``: which answers vanish, and when. Ids and seconds are all that is kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace
from pydantic import BaseModel

from clawdcore import (
    ChatUnavailable,
    ClawdBotError,
    Context,
    Message,
    Needs,
    RegisterCommand,
    Reply,
    Scope,
    UsageError,
    hookimpl,
)

from . import spans, texts
from .options import BurnOptions

log = logging.getLogger(__name__)

AFTER: Final = "after"
"""The setting of a chat: seconds."""
OLDEST: Final = 48 * 3600.0
"""Seconds after which Telegram deletes a message no more (its Bot API, deleteMessage)."""


class Burn:
    """One for each bot. ``wall`` gives seconds since the epoch."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        """As :func:`clawdcore.hooks.hookspecs.options_model`."""
        return BurnOptions

    @hookimpl
    def needs(self) -> Needs:
        """As :func:`clawdcore.hooks.hookspecs.needs`."""
        return Needs(keeps="how long messages of a chat stay")

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        """Adds ``/burn``."""

        @register("burn", example="/burn on 10m")
        async def burn(message: Message, what: str = "") -> str | Reply:
            """Let answers vanish: /burn 60, /burn on 10m, /burn off"""
            language = message.sender.language
            word, _, rest = what.strip().partition(" ")
            match word.lower():
                case "":
                    return await self._state(context, message)
                case "off" | "0":
                    return await self._set(context, message, None)
                case "on":
                    return await self._set(context, message, self._span(context, rest, language))
            span = self._span(context, what, language)
            if message.reply_to is not None:
                return await self._this(context, message, message.reply_to, span)
            context.memory.set(_next(message), span)
            return texts.next_one(span, language)

    @hookimpl
    async def prepare_reply(
        self, reply: Reply, message: Message, notice: bool, context: Context
    ) -> Reply | None:
        """The reply with its end, and the end of what it answers.

        A wish for one answer waits while only notices come; a chat's time is for these too,
        since they show who asked.
        """
        span = context.memory.get(_next(message), int)
        asked = span is not None and not notice and message.command != "burn"
        if asked:
            context.memory.delete(_next(message))
        if not asked:
            span = await self._chat(context, message.chat.id)
        if not span:
            return None
        if await _may_delete(context, message):
            await _delete(context, message, span)
        if reply.delete_after and reply.delete_after <= span:
            return None
        return replace(reply, delete_after=float(span))

    @hookimpl
    async def forget(self, scope: Scope, language: str, context: Context) -> str | None:
        """What is in memory; the chat's setting is storage, which the bot itself erases."""
        found = await self._chat(context, scope.id) if scope.kind == "chat" else None
        keys = [key for key in context.memory.keys() if _concerns(key, scope)]  # noqa: SIM118
        for key in keys:
            context.memory.delete(key)
        if found:
            await context.storage.set(AFTER, None, chat=scope.id)
        return texts.held(language) if found or keys else None

    def _span(self, context: Context, text: str, language: str) -> int:
        options: BurnOptions = context.options
        span = spans.seconds(text)
        if span is None or not options.shortest <= span <= options.longest:
            raise UsageError(texts.how(options.shortest, options.longest, language))
        return span

    async def _chat(self, context: Context, chat: int) -> int | None:
        span = await context.storage.get(AFTER, chat=chat)
        return span if isinstance(span, int) else None

    async def _state(self, context: Context, message: Message) -> str:
        language = message.sender.language
        span = await self._chat(context, message.chat.id)
        if not span:
            return texts.off(language)
        too = await _may_delete(context, message)
        more = texts.questions_too(language) if too else texts.questions_stay(language)
        return f"{texts.on(span, language)} {more}"

    async def _set(self, context: Context, message: Message, span: int | None) -> str:
        if not await _decides(context, message):
            return texts.admins_only(message.sender.language)
        await context.storage.set(AFTER, span, chat=message.chat.id)
        return await self._state(context, message)

    async def _this(
        self, context: Context, message: Message, target: Message, span: int
    ) -> str | Reply:
        """One message of the bot, the command itself, and what is said to it."""
        language = message.sender.language
        if not target.sender.is_bot:
            return texts.not_mine(language)
        if not await _decides(context, message):  # it may be the answer to somebody else
            return texts.admins_only(language)
        if target.time and self._wall() + span - target.time >= OLDEST:
            return texts.too_old(language)
        await context.chats.delete(message.chat.id, target.id, after=span)
        if await _may_delete(context, message):
            await _delete(context, message, span)
        return Reply(text=texts.this_one(span, language), delete_after=float(span))


async def _may_delete(context: Context, message: Message) -> bool:
    """Whether the bot may delete what people write there; not knowing is a no."""
    try:
        return (await context.chats.me(message.chat.id)).can_delete
    except ChatUnavailable:
        return False


async def _decides(context: Context, message: Message) -> bool:
    """Whether the sender may say what vanishes there: in a group its admins may."""
    if message.chat.kind == "private":
        return True
    return (await context.chats.member(message.chat.id, message.sender.id)).admin


async def _delete(context: Context, message: Message, span: int) -> None:
    """Owe the deletion of a question. That it can't be owed must not keep the answer's own end."""
    try:
        for each in (message.id, *message.others):
            await context.chats.delete(message.chat.id, each, after=span)
    except ClawdBotError as error:
        log.warning("a question stays: %s", type(error).__name__)


def _next(message: Message) -> str:
    return f"next/{message.chat.id}/{message.sender.id}"


def _concerns(key: str, scope: Scope) -> bool:
    _, chat, sender = key.split("/")
    return int(chat if scope.kind == "chat" else sender) == scope.id
