"""One class's waiting line, shared fairly: first between chats, then between a chat's senders.

Each chat, and each sender in it, has a counter of the tokens that it was given;
whoever has the lowest goes next. That is the virtual token counter of Sheng et
al., "Fairness in Serving Large Language Models" (OSDI 2024), on two levels. What
is expected of a request is charged when it starts and corrected by what it took,
which makes the counter a start tag as in start-time fair queueing (Goyal, Vin and
Cheng, SIGCOMM 1996). While two chats both wait, what they were given differs by at
most the largest charge of the one plus the largest of the other, where costs are
known beforehand (their Theorem 1). Where they are not, a charge is wrong until its
request ends, so that what runs adds to it: at most the seats times the largest
error (as in Theorem 4.4 of Sheng et al., where it is the size of the running
batch). The same holds for two senders of a chat. Requests that are ``later`` are
charged, but wait for nobody, so what they take comes on top.

Who comes back after a rest is lifted to what was served last: idleness saves up
no credit. Nothing here reads a clock.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator

import msgspec

from .accounts import Account, Accounts
from .ask import Ask


class Waiter(msgspec.Struct, eq=False):
    """A request in line.

    ``number`` counts arrivals, ``since`` is when it came, ``cost`` what it is expected
    to take, in weighted tokens. ``alone``: its sender had nothing else in line then.
    """

    number: int
    ask: Ask
    since: float
    cost: float
    alone: bool = True


class _Sender(Account):
    """One sender's requests, in order."""

    __slots__ = ("line",)

    def __init__(self) -> None:
        super().__init__()
        self.line: OrderedDict[int, Waiter] = OrderedDict()

    def next(self) -> Waiter:
        return self.line[next(iter(self.line))]


class _Chat(Account):
    """One chat's senders."""

    __slots__ = ("senders",)

    def __init__(self) -> None:
        super().__init__()
        self.senders: Accounts[_Sender] = Accounts(_Sender)

    def next(self) -> Waiter:
        return self.senders.least().next()


class Lane:
    """The line of one class.

    A waiter whose ask is ``later`` goes before all others, in order: its message
    has had its turn. Senders' counters last while their chat waits.
    """

    def __init__(self) -> None:
        self._chats: Accounts[_Chat] = Accounts(_Chat)
        self._later: OrderedDict[int, Waiter] = OrderedDict()
        self._later_cost = 0.0
        self.size = 0
        self.cost = 0.0

    def __iter__(self) -> Iterator[Waiter]:
        yield from self._later.values()
        for chat in self._chats.waiting.values():
            for sender in chat.senders.waiting.values():
                yield from sender.line.values()

    def __len__(self) -> int:
        return self.size

    def add(self, waiter: Waiter) -> None:
        """Put it in line."""
        ask = waiter.ask
        self.size += 1
        self.cost += waiter.cost
        if ask.later:
            self._later[waiter.number] = waiter
            self._later_cost += waiter.cost
            return
        chat = self._chats.arrived(ask.chat)
        sender = chat.senders.arrived(ask.sender)
        waiter.alone = not sender.line
        sender.line[waiter.number] = waiter
        self._queued(ask, chat, sender, waiter.cost)

    def next(self) -> Waiter:
        """Take out whose turn it is. Raises IndexError when nobody waits."""
        if self._later:
            waiter = next(iter(self._later.values()))
        elif self._chats.waiting:
            waiter = self._chats.serve().senders.serve().next()
        else:
            raise IndexError("nobody waits")
        self.remove(waiter)
        return waiter

    def greediest(self) -> Waiter | None:
        """The newest request of the sender with most in line, in the chat with most in line.

        Most is in weighted tokens. None where only such wait as have had a turn already.
        """
        if not self._chats.waiting:
            return None
        line = self._chats.most().senders.most().line
        return line[next(reversed(line))]

    def remove(self, waiter: Waiter) -> bool:
        """Take it out, wherever it stands; False when it is not there."""
        ask = waiter.ask
        if ask.later:
            if self._later.pop(waiter.number, None) is None:
                return False
            self._later_cost = self._later_cost - waiter.cost if self._later else 0.0
        else:
            chat = self._chats.waiting.get(ask.chat)
            sender = chat.senders.waiting.get(ask.sender) if chat is not None else None
            if chat is None or sender is None or sender.line.pop(waiter.number, None) is None:
                return False
            self._queued(ask, chat, sender, -waiter.cost)
        self.size -= 1
        self.cost = self.cost - waiter.cost if self.size else 0.0
        return True

    def charge(self, ask: Ask, cost: float) -> None:
        """Count what its chat and sender were given; negative gives some of it back."""
        chat = self._chats.waiting.get(ask.chat)
        if chat is not None:
            chat.senders.charge(ask.sender, cost)
        self._chats.charge(ask.chat, cost)

    def ahead(self, waiter: Waiter) -> float:
        """The weighted tokens in line that go before ``waiter``, which waits here.

        Every other chat is served until its counter passes what this chat's will be.
        """
        if waiter.ask.later:
            return sum(each.cost for each in self._later.values() if each.number < waiter.number)
        senders = self._chats.waiting[waiter.ask.chat].senders
        line = senders.waiting[waiter.ask.sender].line
        own = sum(each.cost for each in line.values() if each.number < waiter.number)
        own = senders.before(waiter.ask.sender, own, waiter.number)
        return self._later_cost + self._chats.before(waiter.ask.chat, own, waiter.number)

    def newcomers(self, chat: str) -> float:
        """The weighted tokens that go before a further request of ``chat``, at the least.

        They are what a new chat would wait for, and what it has in line itself.
        """
        account = self._chats.waiting.get(chat)
        own = account.queued if account is not None else 0.0
        return self._later_cost + self._chats.level + own

    def pressing(self, *, sender: float, chat: float) -> float:
        """How many wait, where a sender counts for ``sender`` at most and a chat for ``chat``."""
        chats: dict[str, Counter[str]] = defaultdict(Counter)
        for waiter in self:
            chats[waiter.ask.chat][waiter.ask.sender] += 1
        return sum(
            min(chat, sum(min(sender, count) for count in senders.values()))
            for senders in chats.values()
        )

    @property
    def chats(self) -> int:
        """How many chats wait."""
        return len(self._chats.waiting)

    @property
    def remembered(self) -> int:
        """How many chats it holds a counter of; bounded."""
        return len(self._chats)

    def _queued(self, ask: Ask, chat: _Chat, sender: _Sender, cost: float) -> None:
        """More or less of a chat and its sender is in line."""
        sender.queued += cost
        chat.queued += cost
        if sender.line:
            chat.senders.sort(ask.sender)
        else:
            chat.senders.left(ask.sender)
        if chat.senders.waiting:
            self._chats.sort(ask.chat)
        else:
            self._chats.left(ask.chat)
