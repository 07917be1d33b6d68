"""One group gets 100 answers a minute where Telegram allows 20 messages; private chats go on.

The real delivery sends through python-telegram-bot to the local Bot API server,
a process of its own with Telegram's limits: 30 messages a second in all, 1 a
second in a chat, 20 a minute in a group. Answers become ready at scheduled
times, whether or not earlier ones are out (open loop), and each one's wait is
counted from its scheduled time to its receipt. Private chats are measured
before and after the flood too, in all as long as with it (five minutes at most
each); their answers never come quicker than one a second in a chat, so that
what is measured is the bot and not Telegram's limit.

What bounds a group's wait: between two messages of a busy group go at most
(60 - 3) / (20 - 3 + 1) = 3.2 s, and five answers of 700 units fit one message.
At 100 answers a minute of exactly 700 units that is all a group can take.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import httpx

from clawdcore.broker import Send, Target
from clawdcore.edge.api import FloodWait
from clawdcore.edge.delivery import Delivery
from clawdcore.edge.markup import Entity
from clawdcore.edge.telegram import TelegramApi
from clawdcore.messages import Keyboard, Receipt, Reply

GROUP: Final = -1_000_000_000_001
ASKERS: Final = 25
"""People who ask in the group; each also has a private chat with the bot."""
PRIVATE_EVERY: Final = 2.5
"""Seconds between two answers in one private chat."""
GOAL: Final = 10.0
"""Seconds from ready to sent within which each answer of the group should be."""
SLICE: Final = 15.0
"""Seconds of private chats whose p99 is taken at a time."""
WARM_UP: Final = 5.0
ASIDE: Final = 300.0
"""Seconds of private chats alone, at most, before the flood and again after it."""


@dataclass
class Tally:
    """What became of the answers: seconds from ready to sent, by kind; and the errors."""

    due: dict[int, float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    slices: dict[int, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def sent(self, due: float, now: float) -> None:
        """An answer that was due then is out now."""
        self.waits.append(now - due)
        self.slices.setdefault(int(due // SLICE), []).append(now - due)

    @property
    def typical_p99(self) -> float:
        """The median of the p99 of each slice: what slows the machine for a while falls out."""
        return median([share(waits, 0.99) for waits in self.slices.values()])

    @property
    def lost(self) -> int:
        """Answers that did not go out, or of which nothing was heard."""
        return len(self.errors) + len(self.due)


class Traffic:
    """Puts answers when they are due and notes when they were sent."""

    def __init__(self, seed: int, length: int | None) -> None:
        self._dice = random.Random(seed)
        self._length = length
        self._number = 0
        self.group = Tally()
        self.private: dict[str, Tally] = {"alone": Tally(), "beside": Tally()}
        self._of: dict[int, Tally] = {}

    async def finished(self, send: Send, receipt: Receipt) -> None:
        """As delivery's callback."""
        tally = self._of.pop(send.id)
        due = tally.due.pop(send.id)
        if receipt.error:
            tally.errors.append(receipt.error)
        else:
            tally.sent(due, asyncio.get_running_loop().time())

    async def run(
        self, delivery: Delivery, seconds: float, per_minute: float, tally: Tally
    ) -> None:
        """Private chats for so long, and ``per_minute`` answers in the group."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        plan = sorted([*self._private(seconds, tally), *self._group(seconds, per_minute)])
        async with asyncio.TaskGroup() as tasks:
            for at, chat, asker in plan:
                await asyncio.sleep(began + at - loop.time())
                self._put(delivery, tasks, began + at, chat, asker, tally)
            await delivery.flushed()

    def _private(self, seconds: float, tally: Tally) -> Iterator[tuple[float, int, int]]:
        for asker in range(1, ASKERS + 1):
            at = self._dice.random() * PRIVATE_EVERY
            while at < seconds:
                yield at, asker, asker
                at += PRIVATE_EVERY

    def _group(self, seconds: float, per_minute: float) -> Iterator[tuple[float, int, int]]:
        for number in range(int(seconds / 60 * per_minute)):
            yield (number + self._dice.random()) * 60 / per_minute, GROUP, number % ASKERS + 1

    def _put(
        self,
        delivery: Delivery,
        tasks: asyncio.TaskGroup,
        due: float,
        chat: int,
        asker: int,
        private: Tally,
    ) -> None:
        self._number += 1
        tally = self.group if chat == GROUP else private
        length = self._length or self._dice.randint(50, 700)
        tally.due[self._number] = due
        self._of[self._number] = tally
        target = Target(chat_id=chat, private=chat > 0, reply_to=1)
        reply = Reply(text=("word " * 140)[: length - 1] + ".")
        delivery.put(Send(self._number, target, reply, asker=asker, name="Ada"), tasks)


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """The local Bot API server in a process of its own; gives its root."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clawdcore.testing.botapi", "--limits", "--with-parent",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield json.loads(await process.stdout.readline())["root"]
    finally:
        process.stdin.close()
        await process.wait()


async def people(client: httpx.AsyncClient) -> None:
    """Everybody opens a private chat, and they found a group."""
    for asker in range(1, ASKERS + 1):
        body = {"id": asker, "first_name": "Ada"}
        (await client.post("/__control/user", json=body)).raise_for_status()
    body = {"id": GROUP, "title": "Desk", "members": list(range(1, ASKERS + 1))}
    (await client.post("/__control/group", json=body)).raise_for_status()
    body = {"user": 1, "chat": GROUP, "text": "hello"}
    (await client.post("/__control/say", json=body)).raise_for_status()


class CountingApi(TelegramApi):
    """Counts the sends that Telegram refuses with 429."""

    floods = 0

    async def send(
        self,
        target: Target,
        text: str,
        entities: tuple[Entity, ...],
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> int:
        """As :meth:`TelegramApi.send`."""
        try:
            return await super().send(target, text, entities, preview=preview, buttons=buttons)
        except FloodWait:
            self.floods += 1
            raise


def share(waits: list[float], part: float) -> float:
    """The ``part`` quantile of ``waits``, 0 for none."""
    ordered = sorted(waits)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


async def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Private chats, the flood beside them, and private chats again."""
    traffic = Traffic(asked.seed, asked.length)
    flood = asked.minutes * 60.0
    aside = min(ASIDE, flood / 2)
    async with server() as root, httpx.AsyncClient(base_url=root) as client:
        await people(client)
        api = CountingApi("1:TEST", root)
        await api.open()
        delivery = Delivery(api, traffic.finished)
        alone, beside = traffic.private["alone"], traffic.private["beside"]
        await traffic.run(delivery, WARM_UP, 0, Tally())
        await traffic.run(delivery, aside, 0, alone)
        await traffic.run(delivery, flood, asked.per_minute, beside)
        await traffic.run(delivery, aside, 0, alone)
        await delivery.close()
        await api.close()
        state = (await client.get("/__control/state")).json()["result"]
    group = traffic.group
    without, with_flood = share(alone.waits, 0.99), share(beside.waits, 0.99)
    return {
        "minutes": asked.minutes,
        "per_minute": asked.per_minute,
        "length": asked.length or "50-700",
        "answered": len(group.waits),
        "lost": group.lost,
        "p50_s": round(median(group.waits), 3),
        "p99_s": round(share(group.waits, 0.99), 3),
        "max_s": round(max(group.waits), 3),
        "over_10_s": sum(wait > GOAL for wait in group.waits),
        "http_429": api.floods,
        "violations": len(state["violations"]),
        "calls": sum(state["calls"].values()),
        "private_answered": len(alone.waits) + len(beside.waits),
        "private_lost": alone.lost + beside.lost,
        "private_p50_ms": round(median(beside.waits) * 1000, 2),
        "private_p50_alone_ms": round(median(alone.waits) * 1000, 2),
        "private_p99_ms": round(with_flood * 1000, 2),
        "private_p99_alone_ms": round(without * 1000, 2),
        "private_p99_ratio": round(with_flood / without, 3),
        "private_typical_p99_ms": round(beside.typical_p99 * 1000, 2),
        "private_typical_p99_alone_ms": round(alone.typical_p99 * 1000, 2),
        "private_typical_p99_ratio": round(beside.typical_p99 / alone.typical_p99, 3),
    }


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of flood")
    parser.add_argument("--per-minute", type=float, default=100.0, help="answers in the group")
    parser.add_argument("--length", type=int, help="units of each answer (default: 50 to 700)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.minutes <= 0 or asked.per_minute <= 0:
        parser.error("--minutes and --per-minute must be above 0")
    if asked.length is not None and not 1 <= asked.length <= 700:
        parser.error("--length must be 1 to 700")
    return asked


def main() -> None:
    """Measure, and say what came out."""
    asked = arguments()
    found = asyncio.run(measure(asked))
    print(
        f"group: {found['answered']} answered, {found['lost']} lost; from ready to sent "
        f"p50 {found['p50_s']:.2f} s, p99 {found['p99_s']:.2f} s, max {found['max_s']:.2f} s; "
        f"{found['over_10_s']} later than {GOAL:g} s; {found['http_429']} times 429\n"
        f"private: p99 {found['private_p99_ms']:.1f} ms beside the flood, "
        f"{found['private_p99_alone_ms']:.1f} ms without it; median over slices of {SLICE:g} s "
        f"{found['private_typical_p99_ms']:.1f} and {found['private_typical_p99_alone_ms']:.1f} ms"
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
