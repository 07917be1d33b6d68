"""Who goes next and who is refused: the queue in front of one model server. Pure.

Next is: the class (control, direct, group, media), with seats kept free for the
higher ones; in it the chat, and in that the sender, that was given least; then in
order. Refused is what can't be done before its deadline; when the line is full the
newest request of the greediest sender of the greediest chat in the lowest class;
and by CoDel what makes everybody wait. Time is a parameter, in seconds of any
clock that only moves forward.
"""

from __future__ import annotations

import heapq
from typing import Final, Literal, get_args

import msgspec

from ..backend import Priority
from .ask import Ask
from .codel import CoDel
from .estimates import Estimates, weigh
from .lane import Lane, Waiter
from .promises import Promises
from .seats import Running, Seats

Reason = Literal["full", "late", "slow", "closed", "withdrawn"]
"""Why somebody is refused: the line is full; its time is over, or would be; everybody
waits too long; its class is not taken now; it went away by itself."""

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)

__all__ = ["AdmissionQueue", "Books", "Reason", "Refusal", "Running"]

DOWNWARDS: Final = tuple(Priority)
"""The classes, the most urgent first: to go through an enum itself costs ten times as much."""
UPWARDS: Final = DOWNWARDS[::-1]
AGING: Final = 16
"""After so many starts of others a class that waits has its turn, the lowest such first."""
SENDER_SHARE: Final = 0.125
CHAT_SHARE: Final = 0.5
"""The part of the line that one sender, and one chat, counts for at most in how hard it
presses: with fair turns, what is beyond makes nobody wait but themselves."""
CLOSED_AGAIN: Final = 30.0
"""Seconds after which somebody whose class is not taken may ask again."""


class Refusal(msgspec.Struct, frozen=True):
    """Somebody gets no seat. ``retry_after`` is in seconds."""

    waiter: Waiter
    reason: Reason
    retry_after: float


class Books(msgspec.Struct):
    """accepted = finished + refused + waiting + running, at all times."""

    accepted: int = 0
    finished: int = 0
    refused: dict[Reason, int] = msgspec.field(default_factory=lambda: dict.fromkeys(REASONS, 0))


class AdmissionQueue:
    """The line and the seats.

    ``limit`` may be set at any time; ``bound`` is how many may wait; ``budget`` the
    seconds that a request has in all, for CoDel. ``lowest`` is the lowest class that
    is taken now.
    """

    def __init__(self, *, limit: int, bound: int, budget: float) -> None:
        self.limit = limit
        self.bound = bound
        self.lowest = Priority.MEDIA
        self.books = Books()
        self.estimates = Estimates()
        self._lanes = tuple(Lane() for _ in DOWNWARDS)
        self._codel = tuple(CoDel(budget) for _ in DOWNWARDS)
        self._promises = Promises()
        self._seats = Seats()
        self._passed = [0 for _ in DOWNWARDS]
        self._deadlines: list[tuple[float, int, Waiter]] = []
        self._numbers = 0
        self.wait = 0.0
        self.felt = 0.0
        """As ``wait``, but a wait behind one's own requests counts as none, in seconds."""

    # ---- what others ask ----

    @property
    def running(self) -> int:
        """How many have a seat."""
        return len(self._seats)

    @property
    def waiting(self) -> int:
        """How many are in line."""
        control, direct, group, media = self._lanes
        return control.size + direct.size + group.size + media.size

    def waiting_by(self, priority: Priority) -> int:
        """How many of a class are in line."""
        return self._lanes[priority].size

    def pressing(self) -> float:
        """How many wait, of one sender and of one chat only so many as others feel."""
        sender = max(1.0, self.bound * SENDER_SHARE)
        chat = max(1.0, self.bound * CHAT_SHARE)
        return sum(lane.pressing(sender=sender, chat=chat) for lane in self._lanes)

    def place(self, waiter: Waiter) -> tuple[int, float]:
        """Its number in line, counted in requests of its own cost, and the seconds till then."""
        ahead = self._ahead(waiter)
        return 1 + round(ahead / waiter.cost), self._wait(ahead)

    def eta(self, priority: Priority, now: float) -> float:
        """Seconds that a newcomer of a new chat would wait, 0 where a seat is free."""
        if self._free(priority):
            return 0.0
        return self._wait(self._newcomers(Ask(priority=priority)))

    # ---- what happens ----

    def offer(self, ask: Ask, now: float) -> tuple[Waiter, list[Refusal]]:
        """Take a request into the line; it may be among those refused for it."""
        self._numbers += 1
        self.books.accepted += 1
        waiter = Waiter(self._numbers, ask, now, self.estimates.cost(ask))
        if ask.priority > self.lowest:
            return waiter, [self._refuse(waiter, "closed", CLOSED_AGAIN)]
        self._lanes[ask.priority].add(waiter)
        self._redeem(waiter, now, ask.prompt_tokens)
        while self._hopeless(waiter, now):
            if not self._redeem(waiter, now):
                return waiter, [self._turn_away(waiter, "late", now)]
        if ask.deadline is not None:
            self._remind(ask.deadline, waiter)
        if self.waiting <= self.bound or self._startable(ask.priority):
            return waiter, []
        victim = self._greediest() or waiter
        if victim is waiter and self._redeem(waiter, now):
            victim = self._greediest() or waiter
        return waiter, [self._turn_away(victim, "full", now)]

    def next(self, now: float) -> tuple[Running | None, list[Refusal]]:
        """Who starts now, if anybody may, and who is refused on the way."""
        refused: list[Refusal] = []
        while self.waiting and (priority := self._class()) is not None:
            lane = self._lanes[priority]
            waiter = lane.next()
            deadline = waiter.ask.deadline
            if deadline is not None and (
                deadline <= now
                # The last one gets its try: an estimate must not keep a server idle.
                or (self.waiting and now + self.estimates.service(waiter.cost) > deadline)
            ):
                refused.append(self._refused(waiter, "late", now))
                self._emptied(priority)
                continue
            for other in DOWNWARDS:
                if self._lanes[other].size:
                    self._passed[other] += 1
            self._passed[priority] = 0
            waited = now - waiter.since
            self.wait += (waited - self.wait) / 8
            self.felt += ((waited if waiter.alone else 0.0) - self.felt) / 8
            if self._codel[priority].started(waited, now):
                victim = lane.greediest()
                if victim is not None:
                    refused.append(self._turn_away(victim, "slow", now))
            self._emptied(priority)
            return self._start(waiter, now), refused
        return None, refused

    def used(self, running: Running, prompt_tokens: float, output_tokens: float) -> None:
        """Correct what was charged, once more is known of what it takes."""
        running.prompt, running.output = prompt_tokens, output_tokens
        cost = weigh(prompt_tokens, output_tokens)
        if cost > running.charged:
            self._charge(running, cost)

    def finish(self, running: Running, now: float) -> None:
        """Its seat is free again. What gave nothing is charged for its question alone."""
        self._seats.remove(running)
        self.books.finished += 1
        self._charge(running, weigh(running.prompt, running.output))
        if running.output:
            self.estimates.observe(
                running.waiter.ask.priority,
                running.prompt,
                running.output,
                now - running.started,
                expected=running.waiter.cost,
            )

    def withdraw(self, waiter: Waiter) -> None:
        """Whoever waited has gone."""
        if self._lanes[waiter.ask.priority].remove(waiter):
            self.books.refused["withdrawn"] += 1
            self._emptied(waiter.ask.priority)

    def expire(self, now: float) -> list[Refusal]:
        """Refuse all whose deadline has come."""
        late = []
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, waiter = heapq.heappop(self._deadlines)
            if self._lanes[waiter.ask.priority].remove(waiter):
                late.append(waiter)
        # Told only now: how long is the line without them all?
        refused = [self._refused(waiter, "late", now) for waiter in late]
        for waiter in late:
            self._emptied(waiter.ask.priority)
        return refused

    def next_deadline(self) -> float | None:
        """When to call :meth:`expire` again, None for not at all."""
        return self._deadlines[0][0] if self._deadlines else None

    # ---- how it is decided ----

    def _class(self) -> Priority | None:
        """Whose turn it is, None when nobody may start."""
        if max(self._passed) >= AGING and self._seats.taken() < self.limit:
            for priority in UPWARDS:
                if self._passed[priority] >= AGING and self._lanes[priority].size:
                    return priority
        for priority in DOWNWARDS:
            if self._startable(priority):
                return priority
        return None

    def _startable(self, priority: Priority) -> bool:
        return self._lanes[priority].size > 0 and self._seats.room(priority, self.limit)

    def _free(self, priority: Priority) -> bool:
        """Whether a newcomer of a class would start at once."""
        above = any(lane.size for lane in self._lanes[: priority + 1])
        return not above and self._seats.room(priority, self.limit)

    def _start(self, waiter: Waiter, now: float) -> Running:
        ask = waiter.ask
        self._lanes[ask.priority].charge(ask, waiter.cost)
        running = Running(waiter, now, waiter.cost, float(ask.prompt_tokens))
        self._seats.add(running)
        return running

    def _charge(self, running: Running, cost: float) -> None:
        ask = running.waiter.ask
        self._lanes[ask.priority].charge(ask, cost - running.charged)
        running.charged = cost

    def _hopeless(self, waiter: Waiter, now: float) -> bool:
        """Whether its turn would surely come too late."""
        deadline = waiter.ask.deadline
        if deadline is None:
            return False
        if deadline <= now:
            return True
        if not self.estimates.known or self._startable(waiter.ask.priority):
            return False
        latest = deadline - now - self.estimates.service(waiter.cost)
        if self._wait(self._above(waiter.ask.priority + 1)) <= latest:
            return False  # even behind everybody in line
        return self._wait(self._ahead(waiter)) > latest

    def _ahead(self, waiter: Waiter) -> float:
        """The weighted tokens that go before it, all lines together."""
        priority = waiter.ask.priority
        return self._above(priority) + self._lanes[priority].ahead(waiter)

    def _newcomers(self, ask: Ask) -> float:
        """The weighted tokens that would go before it if it came now."""
        return self._above(ask.priority) + self._lanes[ask.priority].newcomers(ask.chat)

    def _above(self, priority: int) -> float:
        return sum(lane.cost for lane in self._lanes[:priority])

    def _wait(self, ahead: float) -> float:
        """Seconds until so much is served, and a seat is free then."""
        return self._seconds(ahead + self.estimates.usual)

    def _seconds(self, cost: float) -> float:
        rate = self.estimates.rate(max(1, self.limit))
        return cost / rate if rate else 0.0

    def _greediest(self) -> Waiter | None:
        for priority in UPWARDS:
            victim = self._lanes[priority].greediest()
            if victim is not None:
                return victim
        return None

    def _turn_away(self, waiter: Waiter, reason: Reason, now: float) -> Refusal:
        """Refuse somebody who stands in line."""
        self._lanes[waiter.ask.priority].remove(waiter)
        self._emptied(waiter.ask.priority)
        return self._refused(waiter, reason, now)

    def _redeem(self, waiter: Waiter, now: float, size: int | None = None) -> bool:
        """Let it go first if that was promised; see :meth:`Promises.redeem` for ``size``."""
        ask = waiter.ask
        if ask.later or not self._promises.redeem((ask.chat, ask.sender), now, size):
            return False
        lane = self._lanes[ask.priority]
        lane.remove(waiter)
        waiter.ask = msgspec.structs.replace(ask, later=True)
        lane.add(waiter)
        return True

    def _refused(self, waiter: Waiter, reason: Reason, now: float) -> Refusal:
        """Refuse somebody who has left the line."""
        ask = waiter.ask
        wait = 0.0 if self._free(ask.priority) else self._wait(self._newcomers(ask))
        takes = self._seconds(waiter.cost)
        who = (ask.chat, ask.sender)
        chats = self._lanes[ask.priority].chats + 1
        again = self._promises.make(
            who, now=now, wait=wait, takes=takes, chats=chats, size=ask.prompt_tokens
        )
        return self._refuse(waiter, reason, again)

    def _refuse(self, waiter: Waiter, reason: Reason, retry_after: float) -> Refusal:
        self.books.refused[reason] += 1
        return Refusal(waiter, reason, retry_after)

    def _remind(self, deadline: float, waiter: Waiter) -> None:
        heapq.heappush(self._deadlines, (deadline, waiter.number, waiter))
        if len(self._deadlines) > 2 * self.waiting + 64:
            there = {each.number for lane in self._lanes for each in lane}
            self._deadlines = [each for each in self._deadlines if each[1] in there]
            heapq.heapify(self._deadlines)

    def _emptied(self, priority: Priority) -> None:
        """Some of a class left the line; with the last its wait is over."""
        if not self._lanes[priority].size:
            self._codel[priority].emptied()
            self._passed[priority] = 0
