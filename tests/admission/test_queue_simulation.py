"""Floods against the queue, in virtual time: quiet users stay quick, the server stays full.

The server gives each seat its own speed whatever else runs, so that its capacity is
exactly seats / mean seconds of a request; arrivals are Poisson and wait for nobody.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any, Final

import msgspec
import pytest

from clawdcore.admission.ask import Ask
from clawdcore.admission.estimates import weigh
from clawdcore.admission.lane import Waiter
from clawdcore.admission.queue import AdmissionQueue, Refusal
from clawdcore.backend import Priority

READ: Final = 0.0005
WRITE: Final = 0.02
"""Seconds a token."""
BACK: Final = 1.25
"""Who was refused comes back after so many times what it was told."""


class Work(msgspec.Struct, eq=False):
    """One request: what it asks, what it really takes, and what became of it."""

    at: float
    quiet: bool
    ask: Ask
    output: int
    again: bool = False
    started: float | None = None
    ended: float | None = None

    @property
    def seconds(self) -> float:
        return READ * self.ask.prompt_tokens + WRITE * self.output

    @property
    def latency(self) -> float:
        return float("inf") if self.ended is None else self.ended - self.at


def tokens(random: Random) -> tuple[int, int]:
    """Of a question and its answer, about 200 and 150."""
    return random.randint(50, 350), max(5, min(600, round(random.lognormvariate(4.85, 0.6))))


@cache
def typical() -> tuple[float, float]:
    """The mean and the 99th percentile of the seconds that a request runs."""
    random = Random(1)
    drawn = [tokens(random) for _ in range(20_000)]
    seconds = sorted(READ * p + WRITE * o for p, o in drawn)
    return sum(seconds) / len(seconds), seconds[int(0.99 * len(seconds))]


def poisson(random: Random, rate: float, until: float) -> Iterator[float]:
    at = random.expovariate(rate)
    while at < until:
        yield at
        at += random.expovariate(rate)


class Flood(msgspec.Struct, frozen=True):
    """Who floods: in a class, from so many chats (1 is one chat, 0 the quiet users' own)."""

    priority: Priority
    chats: int
    quiet: Priority = Priority.DIRECT


LOWER = Flood(Priority.GROUP, 1000)
ONE_CHAT = Flood(Priority.DIRECT, 1)
MANY_CHATS = Flood(Priority.DIRECT, 100_000)
MEDIA = Flood(Priority.MEDIA, 1000)
ONE_SENDER = Flood(Priority.GROUP, 0, Priority.GROUP)


def arrivals(
    flood: Flood, times: float, *, limit: int, seconds: float, seed: int, quiet: float = 0.1
) -> list[Work]:
    """The quiet users' requests at ``quiet`` of the capacity, and the flood's at ``times`` it."""
    random = Random(seed)
    mean, slow = typical()
    capacity = limit / mean
    works = []
    for rate, is_quiet in ((quiet * capacity, True), (times * capacity, False)):
        if not rate:
            continue
        for at in poisson(random, rate, seconds):
            prompt, output = tokens(random)
            chat, sender = f"quiet {random.randrange(40)}", ""
            if flood.chats == 0:
                chat, sender = "group", chat if is_quiet else "flood"
            elif not is_quiet:
                chat = f"flood {random.randrange(flood.chats)}"
            ask = Ask(
                priority=flood.quiet if is_quiet else flood.priority,
                chat=chat,
                sender=sender,
                prompt_tokens=prompt,
                deadline=at + 2 * slow,
            )
            works.append(Work(at=at, quiet=is_quiet, ask=ask, output=output))
    return works


class Simulation:
    """Plays arrivals through a queue; what is refused comes back once if ``returning``."""

    def __init__(self, works: list[Work], *, limit: int, bound: int = 128, returning: bool = False):
        self.queue = AdmissionQueue(limit=limit, bound=bound, budget=2 * typical()[1])
        self.works = works
        self.returning = returning
        self.returned: list[Work] = []
        self._waiting: dict[int, Work] = {}
        self._events: list[tuple[float, int, str, Any]] = []
        self._count = 0
        for work in works:
            self._schedule(work.at, "arrive", work)

    def run(self) -> Simulation:
        queue = self.queue
        while self._events:
            now, _, kind, what = heapq.heappop(self._events)
            due = queue.next_deadline()
            if due is not None and due <= now:
                self._refused(queue.expire(now), now)
            if kind == "arrive":
                waiter, refused = queue.offer(what.ask, now)
                self._waiting[waiter.number] = what
                self._refused(refused, now)
            else:
                running, work = what
                if kind == "half":
                    queue.used(running, work.ask.prompt_tokens, work.output // 2)
                    continue
                queue.used(running, work.ask.prompt_tokens, work.output)
                queue.finish(running, now)
                work.ended = now
            self._start(now)
        assert not self._waiting
        return self

    def _start(self, now: float) -> None:
        while True:
            running, refused = self.queue.next(now)
            self._refused(refused, now)
            if running is None:
                return
            work = self._waiting.pop(running.waiter.number)
            work.started = now
            self._schedule(now + work.seconds / 2, "half", (running, work))
            self._schedule(now + work.seconds, "end", (running, work))

    def _refused(self, refused: list[Refusal], now: float) -> None:
        for refusal in refused:
            work = self._waiting.pop(refusal.waiter.number)
            if not self.returning or work.again or work.quiet:
                continue
            at = now + BACK * max(1.0, refusal.retry_after)
            ask = msgspec.structs.replace(work.ask, deadline=at + 2 * typical()[1])
            again = Work(at=at, quiet=False, ask=ask, output=work.output, again=True)
            self.returned.append(again)
            self._schedule(at, "arrive", again)

    def _schedule(self, at: float, kind: str, what: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (at, self._count, kind, what))


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]


class Outcome(msgspec.Struct):
    """What is measured: shares, and ratios to the quiet users alone and to the capacity."""

    quiet_ok: float
    quiet_p99: float
    goodput: float
    eta_kept: float


def play(
    flood: Flood, times: float, *, limit: int, seconds: float, returning: bool = False
) -> Outcome:
    slow = typical()[1]
    alone = arrivals(flood, 0, limit=limit, seconds=seconds, seed=7)
    Simulation(alone, limit=limit).run()
    works = arrivals(flood, times, limit=limit, seconds=seconds, seed=7)
    simulation = Simulation(works, limit=limit, returning=returning).run()
    quiet = [work for work in works if work.quiet]
    warm = seconds / 10
    done = [
        work
        for work in works + simulation.returned
        if work.ended is not None and warm <= work.ended < seconds and work.latency <= 2 * slow
    ]
    back = [work for work in simulation.returned if work.at < seconds]
    return Outcome(
        quiet_ok=sum(work.latency <= 2 * slow for work in quiet) / len(quiet),
        quiet_p99=p99([work.latency for work in quiet]) / p99([work.latency for work in alone]),
        goodput=sum(work.seconds for work in done) / (limit * (seconds - warm)),
        eta_kept=sum(work.started is not None for work in back) / max(1, len(back)),
    )


SECONDS: Final = {8: 600.0, 32: 200.0}
QUIET_P99: Final = {8: 1.4, 32: 1.2}


@pytest.mark.parametrize("limit", [8, 32])
@pytest.mark.parametrize("times", [1.9, 5.0])
@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(LOWER, id="lower class"),
        pytest.param(ONE_CHAT, id="one chat"),
        pytest.param(MEDIA, id="media"),
        pytest.param(ONE_SENDER, id="one sender"),
    ],
)
def test_quiet_users_hardly_notice_a_flood(flood: Flood, times: float, limit: int) -> None:
    outcome = play(flood, times, limit=limit, seconds=SECONDS[limit])
    assert outcome.quiet_ok >= 0.99
    assert outcome.quiet_p99 <= QUIET_P99[limit]


@pytest.mark.parametrize("flood", [ONE_CHAT, MANY_CHATS], ids=["one chat", "many chats"])
def test_under_ten_times_what_it_can_do_the_server_stays_full_of_what_is_in_time(
    flood: Flood,
) -> None:
    assert play(flood, 10, limit=8, seconds=600, returning=True).goodput >= 0.95


@pytest.mark.parametrize("times", [1.9, 5.0])
def test_who_comes_back_when_it_was_told_is_let_in(times: float) -> None:
    """Where each comes back with what was refused: many chats, or a thousand in all."""
    for flood in (MANY_CHATS, LOWER):
        outcome = play(flood, times, limit=8, seconds=600, returning=True)
        assert outcome.eta_kept >= 0.9


def test_even_a_flood_of_ten_times_comes_back_to_open_doors() -> None:
    assert play(MANY_CHATS, 10, limit=8, seconds=400, returning=True).eta_kept >= 0.9


@pytest.mark.parametrize("senders", [False, True], ids=["chats", "senders"])
def test_equal_backlogs_get_equal_shares(senders: bool) -> None:
    """Jain's index of the tokens of each, in every stretch of 60 seconds."""
    limit, seconds, keys = 8, 360.0, 8
    random = Random(11)
    mean, slow = typical()
    works = []
    for key in range(keys):
        for at in poisson(random, 0.5 * limit / mean, seconds):
            prompt, output = tokens(random)
            chat, sender = ("group", str(key)) if senders else (str(key), "")
            ask = Ask(chat=chat, sender=sender, prompt_tokens=prompt, deadline=at + 2 * slow)
            works.append(Work(at=at, quiet=False, ask=ask, output=output))
    Simulation(works, limit=limit).run()
    for window in range(1, int(seconds // 60)):
        shares = dict.fromkeys(range(keys), 0.0)
        for work in works:
            if work.ended is not None and window * 60 <= work.ended < (window + 1) * 60:
                key = int(work.ask.sender if senders else work.ask.chat)
                shares[key] += weigh(work.ask.prompt_tokens, work.output)
        jain = sum(shares.values()) ** 2 / (keys * sum(each**2 for each in shares.values()))
        assert jain >= 0.95


def test_the_seconds_told_are_about_those_waited() -> None:
    """The seconds from Little's law, against what it came to, without anybody refused."""
    works = arrivals(ONE_CHAT, 1.5, limit=8, seconds=200, seed=4, quiet=0.0)
    for work in works:
        work.ask = msgspec.structs.replace(work.ask, deadline=None)
    simulation = Simulation(works, limit=8, bound=10_000)
    simulation.queue = AdmissionQueue(limit=8, bound=10_000, budget=1e9)
    told: list[tuple[Work, float]] = []
    offer = simulation.queue.offer

    def noting(ask: Ask, now: float) -> tuple[Waiter, list[Refusal]]:
        waiter, refused = offer(ask, now)
        work = next(work for work in works if work.at == now)
        told.append((work, simulation.queue.place(waiter)[1]))
        return waiter, refused

    simulation.queue.offer = noting  # type: ignore[method-assign]
    simulation.run()
    ratios = [
        seconds / (work.started - work.at)
        for work, seconds in told
        if work.started is not None and work.started - work.at > 20
    ]
    assert len(ratios) > 100
    assert sum(ratios) / len(ratios) == pytest.approx(1.0, abs=0.1)
    assert sum(0.7 <= ratio <= 1.3 for ratio in ratios) / len(ratios) >= 0.9
