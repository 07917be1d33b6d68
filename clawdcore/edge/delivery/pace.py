"""How fast messages may go: tokens that come back a window after they were used; pure.

Telegram counts a message at some moment between a call's beginning and its end,
in windows that slide. A token is therefore taken when a call begins and comes
back ``seconds`` after it has *ended*: whenever it was counted, the window has
passed before the token is used again. Times are seconds of any one clock.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

import msgspec

MARGIN: Final = 0.05
"""Seconds that every window is kept longer, for clocks that don't agree."""
BURST: Final = 0.15
"""Share of a group's minute that may go at once; the rest is spread over the minute."""


class Pace(msgspec.Struct, frozen=True):
    """Messages allowed: in all, in one chat, in one group.

    The defaults are Telegram's own figures (core.telegram.org/bots/faq, "My bot is
    hitting limits"); a Bot API server of one's own may allow more.
    """

    per_second: float = 30.0
    per_chat: float = 1.0
    group_per_minute: float = 20.0


class Tokens:
    """At most ``most`` calls in any ``seconds``."""

    __slots__ = ("_back", "_running", "ended_at", "most", "seconds")

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self.ended_at = float("-inf")
        self._running = 0
        self._back: deque[float] = deque()

    @classmethod
    def rate(cls, rate: float, seconds: float) -> Tokens:
        """Tokens for ``rate`` calls in ``seconds``; a rate below 1 takes a longer window."""
        return cls(max(1, int(rate)), seconds if rate >= 1 else seconds / rate)

    def take(self) -> None:
        """A call begins."""
        self._running += 1

    def ended(self, now: float) -> None:
        """A call that took a token is over."""
        self._running -= 1
        self.ended_at = now
        self._back.append(now + self.seconds + MARGIN)

    def free(self, now: float) -> int:
        """How many calls may begin now."""
        while self._back and self._back[0] <= now:
            self._back.popleft()
        return self.most - self._running - len(self._back)

    def next_at(self, now: float) -> float:
        """When a call may begin: ``now``, later, or infinity while only calls hold tokens."""
        if self.free(now) > 0:
            return now
        return self._back[0] if self._back else float("inf")

    def unused(self, now: float) -> bool:
        """Whether all tokens are there: the object may be forgotten."""
        return self.free(now) == self.most

    def spread_at(self, now: float) -> float:
        """When a call may begin if what is left is to last until tokens come back.

        Without this the twentieth message of a minute would go in its first
        seconds, and the next one forty seconds later.
        """
        left = self.free(now)
        if left <= 0:
            return self.next_at(now)
        if self.most - left < max(1, int(self.most * BURST)) or not self._back:
            return now
        gap = (self._back[0] - self.ended_at) / (left + 1)
        return max(now, self.ended_at + gap)

    def quick(self, now: float) -> int:
        """How many calls may go before they are spread."""
        return max(0, self.free(now) - self.most + max(1, int(self.most * BURST)))


class ChatPace:
    """The tokens of one chat, and how long it is paused."""

    __slots__ = ("floods", "group", "paused_until", "second")

    def __init__(self, pace: Pace, *, private: bool) -> None:
        self.second = Tokens.rate(pace.per_chat, 1.0)
        self.group = None if private else Tokens.rate(pace.group_per_minute, 60.0)
        self.paused_until = float("-inf")
        self.floods = 0

    def ready_at(self, now: float) -> float:
        """When the chat may get a message; infinity while a call holds its last token."""
        at = max(now, self.paused_until, self.second.next_at(now))
        return at if self.group is None else max(at, self.group.spread_at(now))

    def idle(self, now: float) -> bool:
        """Whether nothing needs to be remembered of the chat."""
        return (
            self.paused_until <= now
            and self.second.unused(now)
            and (self.group is None or self.group.unused(now))
        )

    def take(self) -> None:
        """A message begins its way."""
        self.second.take()
        if self.group is not None:
            self.group.take()

    def ended(self, now: float) -> None:
        """Its call is over."""
        self.second.ended(now)
        if self.group is not None:
            self.group.ended(now)


class Chats:
    """The pace of each chat that was written to lately; idle ones are forgotten."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._chats: OrderedDict[int, ChatPace] = OrderedDict()

    def __len__(self) -> int:
        return len(self._chats)

    def of(self, chat_id: int, now: float) -> ChatPace:
        """The chat's pace. A group's id is negative (core.telegram.org/bots/api#chat)."""
        chat = self._chats.get(chat_id)
        if chat is None:
            self._forget_idle(now)
            chat = self._chats[chat_id] = ChatPace(self._pace, private=chat_id > 0)
        self._chats.move_to_end(chat_id)
        return chat

    def _forget_idle(self, now: float) -> None:
        """Look at the two that were used longest ago: more go than come."""
        for _ in range(2):
            if not self._chats:
                return
            chat_id, chat = next(iter(self._chats.items()))
            if chat.idle(now):
                del self._chats[chat_id]
            else:
                self._chats.move_to_end(chat_id)
