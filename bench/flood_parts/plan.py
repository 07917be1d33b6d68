"""Who asks when in a flood. Pure: the same seed gives the same schedule."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

Kind = Literal["direct", "group", "media"]
QUIET_CHATS: Final = 40
"""Quiet people, each with a chat of their own (in ``e``: each a sender of the one group)."""
QUIET_SHARE: Final = 0.25
"""The part of the capacity that all quiet people ask for together."""
CHATS: Final = {"direct": QUIET_CHATS + 200, "group": 50, "media": 10}
"""Chats of each kind that may ask at all."""


CROWD: Final = 500
"""People who ask in bursts."""


class Call(msgspec.Struct, frozen=True):
    """One question. ``at`` is in seconds from the beginning; ``kind`` is its class of work."""

    at: float
    quiet: bool
    kind: Kind
    chat: int
    sender: int = 0


class Scenario(msgspec.Struct, frozen=True):
    """A flood: its class, and the chats from ``first`` to ``last`` that it comes from.

    Each chat has so many ``senders``. ``one_group`` puts the quiet people and the flood's
    single sender into one group.
    """

    title: str
    kind: Kind
    first: int
    last: int
    senders: int = 1
    one_group: bool = False


SCENARIOS: Final = {
    "a": Scenario("a lower class", "group", 0, CHATS["group"] - 1),
    "b": Scenario("the same class, one other chat", "direct", QUIET_CHATS, QUIET_CHATS),
    "c": Scenario(
        "the same class, many chats", "direct", QUIET_CHATS, CHATS["direct"] - 1, senders=50
    ),
    "d": Scenario("media", "media", 0, CHATS["media"] - 1),
    "e": Scenario("one sender inside a group", "group", 0, 0, one_group=True),
}


def flood(
    scenario: Scenario, times: float, *, capacity: float, seconds: float, seed: int
) -> list[Call]:
    """Quiet people beside a flood of ``times`` x ``capacity`` (questions a second), in order.

    Both come as Poisson processes: whoever asks knows nothing of the others.
    """
    dice = random.Random(seed)
    calls = []
    for at in _moments(dice, QUIET_SHARE * capacity, seconds):
        who = dice.randrange(QUIET_CHATS)
        if scenario.one_group:
            calls.append(Call(at, True, "group", 0, who + 1))
        else:
            calls.append(Call(at, True, "direct", who))
    for at in _moments(dice, times * capacity, seconds):
        chat = dice.randint(scenario.first, scenario.last)
        calls.append(Call(at, False, scenario.kind, chat, dice.randrange(scenario.senders)))
    return sorted(calls, key=lambda call: call.at)


def equals(chats: int, times: float, *, capacity: float, seconds: float, seed: int) -> list[Call]:
    """So many chats of one class, each asking alike, together ``times`` x ``capacity``."""
    dice = random.Random(seed)
    return [
        Call(at, False, "direct", dice.randrange(chats))
        for at in _moments(dice, times * capacity, seconds)
    ]


def bursts(size: int, every: float, seconds: float) -> list[Call]:
    """``size`` people who ask in one moment, and other ones after each ``every`` seconds.

    All of :data:`CROWD` take turns: one chat gets a message a second at most, so that the same
    ten, asking on and on, would wait for Telegram's pace.
    """
    count = max(1, int(seconds // every))
    return [
        Call(n * every, True, "direct", (n * size + number) % CROWD)
        for n in range(count)
        for number in range(size)
    ]


def _moments(dice: random.Random, rate: float, seconds: float) -> Iterator[float]:
    at = dice.expovariate(rate)
    while at < seconds:
        yield at
        at += dice.expovariate(rate)
