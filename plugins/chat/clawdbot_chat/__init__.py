"""Chat: private messages, and in groups those addressed to the bot, answered by the model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from pydantic import BaseModel

from clawdcore import (
    PASS,
    Context,
    Kind,
    Message,
    RegisterCommand,
    RegisterHandler,
    Scope,
    hookimpl,
)

from . import texts
from .answering import Answerer
from .expiry import Expiry
from .options import ChatOptions
from .sessions import Sessions

__version__ = "0.1.0"
__all__ = ["Chat", "ChatOptions"]

MINUTE: Final = 60.0
KINDS: Final[tuple[Kind, ...]] = (
    "text",
    "photo",
    "voice",
    "audio",
    "video",
    "video_note",
    "document",
    "sticker",
)
"""Anything that is text, comes with text, or that a reader makes text of."""


def in_turn(message: Message) -> str:
    """Messages of one such key are answered in turn.

    In a group those of one person: fifty who ask at once are answered at once, each
    knowing what was answered before.
    """
    return f"{message.session}:{message.sender.id}"


class Chat:
    """The plugin: one for each bot, since it holds the bot's conversations."""

    def __init__(self) -> None:
        self._sessions: Sessions | None = None
        self._expiry: Expiry | None = None

    @hookimpl
    def options_model(self) -> type[BaseModel]:
        """As :func:`clawdcore.hooks.hookspecs.options_model`."""
        return ChatOptions

    @hookimpl
    def register_commands(self, register: RegisterCommand) -> None:
        """Adds ``/new``."""

        @register("new", example="/new")
        async def new(message: Message) -> str:
            """Start the conversation afresh"""
            if self._sessions is not None:
                self._sessions.drop(message.session)
            return texts.fresh(message.sender.language)

    @hookimpl
    def register_handlers(self, register: RegisterHandler, context: Context) -> None:
        """Answers what is addressed to the bot, a person's messages one at a time."""
        options: ChatOptions = context.options
        sessions = self._sessions = Sessions(
            context.memory, limit=options.sessions, idle=options.idle_minutes * MINUTE
        )
        expiry = self._expiry = Expiry(sessions)
        answerer = Answerer(context, options)

        @register(*KINDS, serial=in_turn, format="markdown")
        async def chat(message: Message) -> AsyncIterator[str] | object:
            text = (await message.text()).strip()
            if not text:
                return PASS
            quoted = "" if message.reply_to is None else await message.reply_to.text()
            key = message.session
            session = sessions.open(key, chat=message.chat.id, now=context.clock())
            expiry.arm(context.clock)
            keep = partial(sessions.keep, key, session)
            return answerer.answer(session, message, text, quoted.strip(), keep)

    @hookimpl
    async def startup(self, context: Context) -> None:
        """Sees to the end of conversations that an earlier worker has left."""
        if self._expiry is not None:
            self._expiry.arm(context.clock)

    @hookimpl
    async def shutdown(self) -> None:
        """Ends nothing: the conversations are the next worker's."""
        if self._expiry is not None:
            self._expiry.cancel()

    @hookimpl
    async def forget(self, scope: Scope, language: str) -> str | None:
        """Erases a chat's conversations, or a user's own and their questions elsewhere."""
        if self._sessions is None:
            return None
        if scope.kind == "chat":
            erased = self._sessions.forget_chat(scope.id)
        else:
            erased = self._sessions.forget_user(scope.id)
        return texts.held(erased, language) if erased else None
