"""Whose turn it is: private chats, groups, then the rest, each by oldest ready; pure.

Whoever wants to call takes a :class:`Ticket` and waits until it is granted.
Time is a parameter; nothing here waits, calls or knows what is sent.
"""

from __future__ import annotations

import heapq
from collections import deque
from enum import IntEnum
from itertools import count
from typing import Final

import msgspec

from .pace import Chats, Pace, Tokens

SHARE: Final = 8
"""Of so many grants in a row the last goes to a lower class, if one waits: none starves."""
SPARE: Final = 0.5
"""Share of all tokens that must be free for what is sent only if there is room."""
BACKOFF_LIMIT: Final = 300.0
"""Seconds that a chat is paused beyond what Telegram asked for, at most."""


class Rank(IntEnum):
    """The classes, the first served first."""

    PRIVATE = 0
    GROUP = 1
    CHORE = 2


class Ticket(msgspec.Struct, eq=False):
    """A wish to make one call that counts as a message in ``chat_id``, or a chore that doesn't."""

    chat_id: int
    rank: Rank
    granted: bool = False
    left: bool = False

    @property
    def counts(self) -> bool:
        """Whether it takes tokens of its chat."""
        return self.rank is not Rank.CHORE


class Scheduler:
    """Grants tickets within the pace."""

    def __init__(self, pace: Pace) -> None:
        self.all = Tokens.rate(pace.per_second, 1.0)
        self.chats = Chats(pace)
        self._later: list[tuple[float, int, Ticket]] = []
        self._ready: tuple[deque[Ticket], ...] = tuple(deque() for _ in Rank)
        self._holding: dict[int, list[Ticket]] = {}
        self._number = count()
        self._in_a_row = 0
        self._chores_next = False

    def join(self, ticket: Ticket, now: float) -> None:
        """Queue a ticket; :meth:`advance` grants it."""
        at = self._ready_at(ticket, now)
        if at == float("inf"):
            self._holding.setdefault(ticket.chat_id, []).append(ticket)
        elif at > now:
            heapq.heappush(self._later, (at, next(self._number), ticket))
        else:
            self._ready[ticket.rank].append(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Give up a ticket that was not granted."""
        ticket.left = True

    def advance(self, now: float) -> list[Ticket]:
        """Grant what may go now, in order; each granted one must be given to :meth:`ended`."""
        while self._later and self._later[0][0] <= now:
            due = heapq.heappop(self._later)[2]
            if not due.left:
                self.join(due, now)
        granted = []
        while self.all.free(now) > 0 and (ticket := self._pick(now)) is not None:
            self._grant(ticket, now)
            granted.append(ticket)
        return granted

    def wake_at(self, now: float) -> float:
        """When :meth:`advance` may grant more if nothing else happens; infinity for never."""
        later = self._later[0][0] if self._later else float("inf")
        return min(later, self.all.next_at(now)) if any(self._ready) else later

    def ended(self, ticket: Ticket, now: float) -> None:
        """The call of a granted ticket is over, well or badly."""
        self.all.ended(now)
        if not ticket.counts:
            return
        self.chats.of(ticket.chat_id, now).ended(now)
        for waiting in self._holding.pop(ticket.chat_id, ()):
            if not waiting.left:
                self.join(waiting, now)

    def pause(self, chat_id: int, until: float, now: float) -> None:
        """Send nothing to a chat before ``until``."""
        chat = self.chats.of(chat_id, now)
        chat.paused_until = max(chat.paused_until, until)

    def flooded(self, chat_id: int, seconds: float, now: float) -> None:
        """Telegram asks for a pause (429); each further one without a success doubles it."""
        chat = self.chats.of(chat_id, now)
        longer = seconds * 2.0**chat.floods
        chat.floods = min(chat.floods + 1, 16)
        chat.paused_until = max(chat.paused_until, now + min(longer, seconds + BACKOFF_LIMIT))

    def succeeded(self, chat_id: int, now: float) -> None:
        """A call in this chat went well: its next pause begins small again."""
        self.chats.of(chat_id, now).floods = 0

    def spare(self, now: float) -> bool:
        """Whether there is room for what nobody waits for: no final answer wants the tokens."""
        return not any(self._ready) and self.all.free(now) >= self.all.most * SPARE

    def spare_in(self, chat_id: int, now: float) -> bool:
        """The same for a message in one chat: of a group's minute at least half is left."""
        chat = self.chats.of(chat_id, now)
        group = chat.group
        return (
            self.spare(now)
            and chat.ready_at(now) <= now
            and (group is None or group.free(now) >= group.most * SPARE)
        )

    def take_spare(self, chat_id: int, now: float, *, counts: bool) -> Ticket | None:
        """A granted ticket if there is room, else None; ``counts`` as a message in the chat."""
        fits = self.spare_in(chat_id, now) if counts else self.spare(now)
        if not fits:
            return None
        ticket = Ticket(chat_id, rank_of(chat_id) if counts else Rank.CHORE)
        self._grant(ticket, now)
        return ticket

    def _ready_at(self, ticket: Ticket, now: float) -> float:
        return self.chats.of(ticket.chat_id, now).ready_at(now) if ticket.counts else now

    def _grant(self, ticket: Ticket, now: float) -> None:
        ticket.granted = True
        self.all.take()
        if ticket.counts:
            self.chats.of(ticket.chat_id, now).take()

    def _pick(self, now: float) -> Ticket | None:
        """The next ready ticket; one that is no longer ready goes back to wait."""
        while (line := self._line()) is not None:
            ticket = line.popleft()
            if ticket.left:
                continue
            if self._ready_at(ticket, now) > now:
                self.join(ticket, now)
                continue
            lower = any(self._ready[rank] for rank in Rank if rank > ticket.rank)
            self._in_a_row = self._in_a_row + 1 if lower else 0
            return ticket
        return None

    def _line(self) -> deque[Ticket] | None:
        lines = [line for line in self._ready if line]
        if not lines:
            return None
        if len(lines) > 1 and self._in_a_row >= SHARE - 1:
            self._in_a_row = 0
            self._chores_next = not self._chores_next
            return lines[-1] if self._chores_next else lines[1]
        return lines[0]


def rank_of(chat_id: int) -> Rank:
    """The class of a message to this chat."""
    return Rank.PRIVATE if chat_id > 0 else Rank.GROUP
