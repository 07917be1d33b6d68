"""Flood limits: how many messages the bot may send, and when it may try again.

Off unless set. Telegram's own figures: about 30 messages a second in all, 1 a
second in a chat, 20 a minute in a group (core.telegram.org/bots/faq,
"My bot is hitting limits").
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass

SECOND = 1.0
MINUTE = 60.0
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages allowed per window, ``None`` for no limit.

    ``per_second`` over all chats; ``chat_per_second`` in any one chat;
    ``group_per_minute`` in any one group or supergroup.
    """

    per_second: int | None = None
    chat_per_second: int | None = None
    group_per_minute: int | None = None

    @classmethod
    def telegram(cls) -> Limits:
        """The figures that Telegram publishes."""
        return cls(per_second=30, chat_per_second=1, group_per_minute=20)


class FloodGate:
    """Counts what was sent in sliding windows. Remembers ``max_chats`` chats."""

    def __init__(self, limits: Limits, *, max_chats: int = 100_000) -> None:
        self.limits = limits
        self._max_chats = max_chats
        self._all: deque[float] = deque()
        self._chats: OrderedDict[int, deque[float]] = OrderedDict()
        self._groups: OrderedDict[int, deque[float]] = OrderedDict()

    def admit(self, chat_id: int, *, group: bool, now: float) -> int:
        """0 if a message may go to the chat at ``now`` (seconds, monotonic), and counts it.

        Otherwise whole seconds to wait, at least 1; a refused one is not counted.
        """
        limits = self.limits
        windows: list[tuple[deque[float], int, float]] = []
        if limits.per_second is not None:
            windows.append((self._all, limits.per_second, SECOND))
        if limits.chat_per_second is not None:
            windows.append((self._window(self._chats, chat_id), limits.chat_per_second, SECOND))
        if group and limits.group_per_minute is not None:
            windows.append((self._window(self._groups, chat_id), limits.group_per_minute, MINUTE))
        wait = 0
        for times, most, length in windows:
            while times and times[0] <= now - length + ROUNDING:
                times.popleft()
            if len(times) >= most:
                free_at = times[len(times) - most] + length if most else now + length
                wait = max(wait, 1, math.ceil(free_at - now))
        if not wait:
            for times, _, _ in windows:
                times.append(now)
        return wait

    def _window(self, table: OrderedDict[int, deque[float]], chat_id: int) -> deque[float]:
        window = table.setdefault(chat_id, deque())
        table.move_to_end(chat_id)
        if len(table) > self._max_chats:
            table.popitem(last=False)
        return window
