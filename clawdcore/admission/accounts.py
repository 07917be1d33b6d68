"""Who was given how much: the counters behind a fair line, kept in order. Pure.

Those that wait are held twice in order, by what they were given and by what they
have in line, so that whose turn it is and who is greediest are found at once.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

KEPT: Final = 4096
"""So many that rest keep their counters at most."""


class Costs(Protocol):
    """A request in line: the number of its arrival, and its cost in weighted tokens."""

    number: int
    cost: float


class Account:
    """``counter`` is what somebody was given, ``queued`` what it has in line.

    ``first`` is the cost of its request that goes next, ``level`` so much of it as
    goes before a newcomer's.
    """

    __slots__ = ("counter", "first", "level", "queued", "size", "turn")

    def __init__(self) -> None:
        self.counter = 0.0
        self.queued = 0.0
        self.first = 0.0
        self.level = 0.0
        self.turn: tuple[float, int, str] | None = None
        self.size: tuple[float, float, int, str] | None = None

    def next(self) -> Costs:
        """Its request that goes next."""
        raise NotImplementedError


A = TypeVar("A", bound=Account)


class Accounts(Generic[A]):
    """Those that wait, and the counters of those that rest."""

    def __init__(self, make: Callable[[], A]) -> None:
        self._make = make
        self.waiting: dict[str, A] = {}
        self._turns: list[tuple[float, int, str]] = []
        self._sizes: list[tuple[float, float, int, str]] = []
        self._resting: dict[str, float] = {}
        self._floor = 0.0
        self.level = 0.0
        """What goes before the request of somebody new, in weighted tokens."""

    def __len__(self) -> int:
        return len(self.waiting) + len(self._resting)

    def arrived(self, key: str) -> A:
        """The account of somebody who waits from now on, or did already; to be sorted then."""
        account = self.waiting.get(key)
        if account is None:
            account = self.waiting[key] = self._make()
            account.counter = max(self._resting.pop(key, 0.0), self._floor)
        return account

    def sort(self, key: str) -> None:
        """Its counter, or what it has in line, is another."""
        account = self.waiting[key]
        self._unsort(account)
        first = account.next()
        number = first.number
        account.first = first.cost
        account.turn = (account.counter, number, key)
        account.size = (account.queued, account.counter, number, key)
        if account.counter <= self._floor:
            account.level = first.cost
            self.level += first.cost
        insort(self._turns, account.turn)
        insort(self._sizes, account.size)

    def left(self, key: str) -> None:
        """It waits for nothing any more; its counter stays while it is above the others'."""
        account = self.waiting.pop(key)
        self._unsort(account)
        self._rest(key, account.counter)

    def least(self) -> A:
        """Who was given least; of equals the one whose next request is oldest."""
        return self.waiting[self._turns[0][-1]]

    def most(self) -> A:
        """Who has most in line; of equals the one that was given most, then the newest."""
        return self.waiting[self._sizes[-1][-1]]

    def serve(self) -> A:
        """As :meth:`least`; nobody who comes from now on starts below it."""
        account = self.least()
        if account.counter > self._floor:
            # All are at the new floor or above it: those at it are counted once.
            self._floor = account.counter
            self.level = 0.0
            for counter, _, name in self._turns:
                if counter > self._floor:
                    break
                each = self.waiting[name]
                each.level = each.first
                self.level += each.first
        return account

    def charge(self, key: str, cost: float) -> None:
        """Add to a counter, whether its owner waits or rests; a refund is negative."""
        account = self.waiting.get(key)
        if account is not None:
            account.counter += cost
            self.sort(key)
        else:
            self._rest(key, self._resting.get(key, self._floor) + cost)

    def before(self, key: str, own: float, number: int) -> float:
        """What goes before a request that has ``own`` of its own account before it."""
        reached = self.waiting[key].counter + own
        total = own
        for counter, first, name in self._turns:
            if counter > reached or (counter == reached and first > number):
                break
            if name != key:
                other = self.waiting[name]
                total += min(max(reached - counter, other.first), other.queued)
        return total

    def _unsort(self, account: A) -> None:
        if account.turn is not None and account.size is not None:
            del self._turns[bisect_left(self._turns, account.turn)]
            del self._sizes[bisect_left(self._sizes, account.size)]
            account.turn = account.size = None
            self.level = self.level - account.level if self._turns else 0.0
            account.level = 0.0

    def _rest(self, key: str, counter: float) -> None:
        self._resting[key] = counter
        if len(self._resting) > KEPT:
            # At or below the floor a counter says nothing that the floor does not.
            above = {k: c for k, c in self._resting.items() if c > self._floor}
            ranked = sorted(above, key=above.__getitem__, reverse=True)
            self._resting = {k: above[k] for k in ranked[: KEPT // 2]}
