"""How much a plugin may say to a chat that did not ask; pure, time is a parameter."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

MINUTE: Final = 60.0
KEPT: Final = 4096
"""Plugins and chats whose last minute is remembered."""


class Unasked:
    """Counts unasked messages. ``most`` gives how many a plugin may send a chat in a minute."""

    def __init__(self, most: Callable[[str], int]) -> None:
        self._most = most
        self._sent: dict[tuple[str, int], deque[float]] = {}

    def allows(self, plugin: str, chat: int, now: float) -> bool:
        """Whether ``plugin`` may send ``chat`` one more; then it counts as sent."""
        sent = self._sent.pop((plugin, chat), None) or deque()
        while sent and sent[0] <= now - MINUTE:
            sent.popleft()
        self._sent[plugin, chat] = sent  # the latest last
        if len(self._sent) > KEPT:
            del self._sent[next(iter(self._sent))]
        if len(sent) >= self._most(plugin):
            return False
        sent.append(now)
        return True
