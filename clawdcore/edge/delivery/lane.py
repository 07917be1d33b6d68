"""What one chat still gets, and how much of it may wait."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Final

import msgspec

from ...broker import Draft, Send
from .merging import may_merge
from .schedule import Ticket

LANE_LIMIT: Final = 200
"""Messages that wait for one chat; at Telegram's one a second, minutes of them."""
MERGED_LIMIT: Final = 5 * LANE_LIMIT
"""Replies that wait for one group, where several make one message."""
OVERHEAD: Final = 64
"""Units that merging adds to a reply, about."""


class Lane(msgspec.Struct, eq=False):
    """The replies that wait for a chat, and those on their way.

    ``chat_id`` is where they go: another one than was asked for once a group has
    become a supergroup.
    ``ticket`` is a turn that was granted and not used yet. ``unsure`` is whether what
    is on its way may have arrived.
    """

    chat_id: int
    tasks: asyncio.TaskGroup
    more: asyncio.Event
    sends: deque[Send]
    current: list[Send]
    drafts: dict[int, Draft]
    task: asyncio.Task[None] | None = None
    ticket: Ticket | None = None
    drafted_at: float = float("-inf")
    weight: float = 0.0
    dropped: bool = False
    unsure: bool = False

    @property
    def busy(self) -> bool:
        """Whether a final answer waits or is on its way."""
        return bool(self.sends or self.current)

    def add(self, send: Send, limit: int) -> bool:
        """Queue a reply; False where too much waits already.

        A lane in which nothing waits takes one however long it is.
        """
        more = weight(send, limit)
        full = self.weight + more > LANE_LIMIT or len(self.sends) >= MERGED_LIMIT
        if self.sends and full:
            return False
        self.sends.append(send)
        self.weight += more
        self.drafts.pop(send.id, None)
        self.more.set()
        return True

    def crowded(self, quick: int | None) -> bool:
        """Whether more wait than may go at once: the next, and ``quick`` after it.

        None is a private chat, where everybody waits for themselves only.
        """
        return quick is not None and len(self.sends) > 1 + quick

    def take(self, chosen: list[Send], limit: int) -> None:
        """These replies are now on their way."""
        if len(chosen) == 1:
            self.sends.remove(chosen[0])
        else:
            taken = {id(send) for send in chosen}
            self.sends = deque(send for send in self.sends if id(send) not in taken)
        self.weight -= sum(weight(send, limit) for send in chosen)
        if not self.sends:
            self.weight = 0.0
        self.current = chosen
        self.unsure = False

    def drop(self) -> list[Send]:
        """Let all go that waits; what is on its way is not tried again."""
        waited = list(self.sends)
        self.sends.clear()
        self.drafts.clear()
        self.weight = 0.0
        self.dropped = True
        self.more.set()
        return waited


def weight(send: Send, limit: int) -> float:
    """How many messages a reply makes; a part of one where it can be merged.

    Counted in characters, since it decides how much waits and not what is sent.
    """
    length = len(send.reply.text or "")
    if may_merge(send) and length <= limit:
        return min(1.0, (length + OVERHEAD) / limit)
    return float(max(1, math.ceil(length / limit)))
