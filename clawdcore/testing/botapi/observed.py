"""What the bot did, as a test sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .chats import get_my_commands
from .core import Core
from .errors import JSON
from .journal import Record
from .request import Call

T = TypeVar("T")


class Observed:
    """Records of what the bot did, what chats show now, and waiting for either."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def sent(self) -> list[Record]:
        """Messages sent, oldest first."""
        return self._core.journal.by_kind["sent"]

    @property
    def drafts(self) -> list[Record]:
        """Drafts shown, oldest first."""
        return self._core.journal.by_kind["draft"]

    @property
    def edits(self) -> list[Record]:
        """Messages edited by the bot, as they were after each edit."""
        return self._core.journal.by_kind["edit"]

    @property
    def deleted(self) -> list[Record]:
        """Messages deleted by the bot, as they were."""
        return self._core.journal.by_kind["delete"]

    @property
    def reactions(self) -> list[Record]:
        """The bot's reactions."""
        return self._core.journal.by_kind["reaction"]

    @property
    def actions(self) -> list[Record]:
        """Typing marks and their like."""
        return self._core.journal.by_kind["action"]

    @property
    def answers(self) -> list[Record]:
        """Answers to callback queries."""
        return self._core.journal.by_kind["answer"]

    def messages(self, chat_id: int) -> list[JSON]:
        """What a chat shows now: all kept messages, oldest first."""
        chat = self._core.world.chats.get(chat_id)
        return list(chat.messages.values()) if chat else []

    def commands(self, scope: JSON | None = None, language_code: str = "") -> list[JSON]:
        """The bot's menu for a scope (the default one) and a language."""
        values: JSON = {"scope": scope or {"type": "default"}, "language_code": language_code}
        return get_my_commands(self._core, Call("getMyCommands", values, {}))

    def records(self, after: int = 0) -> list[Record]:
        """Everything that the bot did after the record of that number."""
        return self._core.journal.since(after)

    async def wait(self, predicate: Callable[[], T], timeout: float = 5.0) -> T:
        """Until ``predicate()`` is true, looking again at each change; what it gave.

        Raises:
            TimeoutError: after ``timeout`` seconds; says how much was recorded.
        """
        return await self._core.journal.wait(predicate, timeout)
