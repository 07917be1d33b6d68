"""What the edge asks of the Bot API, and how such a call fails.

Answers to ``getUpdates`` stay bytes: they are decoded in the worker. The
errors here are what delivery and receivers decide by, so they are few.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from ..broker import Bot, Target
from ..hooks.chats import Member
from ..messages import Keyboard
from .markup import Entity


class CallError(Exception):
    """A call that did not succeed."""


class FloodWait(CallError):
    """Too many requests (429); ``seconds`` is how long to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds:g} s")
        self.seconds = seconds


class Reason(StrEnum):
    """Why Telegram said no, as far as it matters what is done next."""

    OTHER = "other"
    NOT_MODIFIED = "not modified"
    NOT_FOUND = "not found"
    NOT_ALLOWED = "not allowed"
    TOO_LONG = "too long"
    NO_REACTIONS = "no reactions"
    BLOCKED = "blocked"
    MIGRATED = "migrated"


class Rejected(CallError):
    """Telegram understood and said no (400, 403, 404): trying again won't help.

    ``moved_to`` is the id of the supergroup that a group became (MIGRATED), else 0.
    """

    def __init__(self, text: str, reason: Reason = Reason.OTHER, *, moved_to: int = 0) -> None:
        super().__init__(text)
        self.reason = reason
        self.moved_to = moved_to


class Whose(StrEnum):
    """What is known of a message id: see :meth:`Api.probe`."""

    OURS = "ours"
    OTHER = "other"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Conflict(CallError):
    """Somebody else polls, or a webhook is set (409)."""


class Unreachable(CallError):
    """No answer, or a server error. ``sent`` is whether the call may have taken effect."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Api(Protocol):
    """What the edge needs of Telegram. Each call may raise :class:`CallError`."""

    async def open(self) -> Bot: ...
    async def close(self) -> None: ...
    async def poll(self, offset: int, *, limit: int, timeout: int) -> bytes: ...
    async def send(
        self,
        target: Target,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> int: ...
    async def draft(self, target: Target, draft_id: int, text: str) -> None: ...
    async def edit(
        self,
        target: Target,
        message_id: int,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> None: ...
    async def edit_buttons(self, chat_id: int, message_id: int, buttons: Keyboard) -> None: ...
    async def answer(self, query: str, text: str, *, alert: bool) -> None: ...
    async def delete(self, chat_id: int, message_id: int) -> None: ...
    async def member(self, chat_id: int, user_id: int) -> Member: ...
    async def typing(self, target: Target) -> None: ...
    async def react(self, chat_id: int, message_id: int, emoji: str) -> None: ...
    async def probe(self, chat_id: int, message_id: int, buttons: Keyboard = ()) -> Whose: ...
    async def set_commands(self, language: str, commands: tuple[tuple[str, str], ...]) -> None: ...
    async def set_webhook(self, url: str, secret: str) -> None: ...
    async def delete_webhook(self) -> None: ...
    async def file(self, file_id: str) -> bytes: ...
