"""What could not be deleted as promised is told in its chat, several messages at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

TOGETHER: Final = 10.0
"""Seconds in which failures of a chat are told as one."""
CHATS: Final = 1000
"""Chats whose failures are counted at once; of more nobody is told."""


class Undeleted:
    """Counts failed deletions; ``tell`` gets a chat and how many it had."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._counts: dict[int, int] = {}

    def add(self, chat_id: int) -> None:
        """One more message of a chat stays."""
        if chat_id in self._counts:
            self._counts[chat_id] += 1
        elif len(self._counts) < CHATS:
            self._counts[chat_id] = 1
            asyncio.get_running_loop().call_later(TOGETHER, self._now, chat_id)

    def _now(self, chat_id: int) -> None:
        self._tell(chat_id, self._counts.pop(chat_id))
