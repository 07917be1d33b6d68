"""Many at one moment: fifty people who ask the same, and bursts of people who don't."""

from __future__ import annotations

import argparse
import asyncio
import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from clawdcore.cli.rehearse_measure import quantile
from clawdcore.testing.botapi import BotApiServer

from . import sides
from .calling import closed
from .chats import Chats
from .plan import Call
from .plan import bursts as bursting
from .tally import Fate, figures

HERD: Final = 50
ROUNDS: Final = 3
"""Texts that the herd asks for, one after the other; alone each is asked for by one person."""
PATIENCE: Final = 90.0
TOTAL: Final = 60.0
"""The bot's own default for ``timeout.total``, in seconds."""
LOAD: Final = 0.8
"""The part of the capacity that bursts ask for in the mean."""
LOOK: Final = 0.2
"""Seconds between looks at how many are in the bot."""
Found = dict[str, Any]


@asynccontextmanager
async def bot(
    folder: Path, changes: Mapping[str, Any], preset: str, limit: int
) -> AsyncIterator[tuple[BotApiServer, str, str]]:
    """A fresh engine, a fresh Telegram and a fresh bot: the server, the gateway, the engine."""
    async with (
        sides.simulator(changes, preset) as engine,
        BotApiServer(sides.TOKEN, keep=sides.KEPT) as server,
        sides.clawdbot(folder, engine, limit=limit, within=TOTAL, api_root=server.root) as gateway,
    ):
        yield server, gateway, engine


async def herd(
    folder: Path, changes: Mapping[str, Any], preset: str, options: argparse.Namespace
) -> Found:
    """Fifty people ask for one translation within a second: in private, and in one group.

    Alone is one person who asks a fresh bot before a fresh engine for the same: with
    its seed the engine writes as many words again. Times are ratios to that.
    """
    alone = await _rounds(folder, changes, preset, options.limit, [_person(0)])
    private = await _rounds(
        folder, changes, preset, options.limit, [_person(n) for n in range(HERD)]
    )
    group = await _rounds(folder, changes, preset, options.limit, [_member(n) for n in range(HERD)])
    found: Found = {"herd_people": HERD, "herd_rounds": ROUNDS}
    for name, side in (("alone", alone), ("private", private), ("group", group)):
        found[f"herd_{name}_generations"] = side.generations / ROUNDS
        found[f"herd_{name}_messages"] = side.messages / ROUNDS
        found[f"herd_{name}_answered"] = side.answered
    typical, slowest = [], []
    for one, many in zip(alone.rounds, private.rounds, strict=True):
        typical.append((quantile(many, 0.5) or math.nan) / one[0])
        slowest.append(max(many) / one[0])
    found["herd_p50_over_alone"] = round(sorted(typical)[ROUNDS // 2], 3)
    found["herd_slowest_over_alone"] = round(sorted(slowest)[ROUNDS // 2], 3)
    in_group = [max(many) / one[0] for one, many in zip(alone.rounds, group.rounds, strict=True)]
    found["herd_group_over_alone"] = round(sorted(in_group)[ROUNDS // 2], 3)
    print(
        f"one person: {found['herd_alone_generations']:g} generation for each text\n"
        f"{HERD} people in private: {found['herd_private_generations']:g} generation, "
        f"{found['herd_private_messages']:g} messages; the middle one waits "
        f"{found['herd_p50_over_alone']:.2f} x alone, the last "
        f"{found['herd_slowest_over_alone']:.2f} x\n"
        f"{HERD} people in one group: {found['herd_group_generations']:g} generation, "
        f"{found['herd_group_messages']:g} message, {found['herd_group_over_alone']:.2f} x alone"
    )
    return found


class _Side:
    """Rounds of latencies in seconds, and what they took of the engine and of Telegram."""

    def __init__(self) -> None:
        self.rounds: list[list[float]] = []
        self.generations = 0.0
        self.messages = 0
        self.answered = 0


async def _rounds(
    folder: Path,
    changes: Mapping[str, Any],
    preset: str,
    limit: int,
    calls: Sequence[Call],
) -> _Side:
    side = _Side()
    async with bot(folder, changes, preset, limit) as (server, _, engine):
        people = Chats(server)
        await people.play(calls[:1], patience=PATIENCE, texts=["/help"])
        before, sent = await _generated(engine), len(server.sent)
        for number in range(ROUNDS):
            text = (
                f"/translate en Das ist der Text Nummer {number}, "
                "und viele Leute wollen ihn heute noch lesen."
            )
            fates = await people.play(calls, patience=PATIENCE, texts=[text])
            side.rounds.append([fate.latency for fate in fates])
            side.answered += sum(fate.outcome == "answered" for fate in fates)
        side.generations = await _generated(engine) - before
        side.messages = len(server.sent) - sent
    return side


def _person(number: int) -> Call:
    return Call(number / HERD, True, "direct", number)


def _member(number: int) -> Call:
    return Call(number / HERD, True, "group", 0, number)


async def _generated(engine: str) -> float:
    """Answers that the engine has finished since its start."""
    async with aiohttp.ClientSession() as session, session.get(f"{engine}/metrics") as page:
        text = await page.text()
    counts = re.findall(r"^vllm:request_success(?:_total)?\{[^}]*\} (\S+)$", text, re.MULTILINE)
    return sum(map(float, counts))


async def bursts(
    folder: Path, changes: Mapping[str, Any], preset: str, options: argparse.Namespace
) -> Found:
    """So many people at one moment, again and again, at a load below the capacity."""
    found: Found = {}
    for size in (10, 50, 100):
        async with bot(folder, changes, preset, options.limit) as (server, gateway, engine):
            rate = await _capacity(engine, options.limit)
            every = size / (LOAD * rate)
            seconds = max(options.seconds, every)
            people = Chats(server)
            looks: list[int] = []
            looking = asyncio.create_task(_look(gateway, looks))
            try:
                calls = bursting(size, every, seconds)
                fates = await people.play(calls, patience=PATIENCE)
            finally:
                looking.cancel()
        found |= _burst(size, fates, looks)
    return found


def _burst(size: int, fates: Sequence[Fate], looks: Sequence[int]) -> Found:
    lasted = max((fate.ended for fate in fates if fate.outcome != "lost"), default=1.0)
    run = figures(fates, seconds=lasted, within=TOTAL)
    seen = sum(looks) * LOOK / lasted
    success = run.in_time / run.asked
    print(
        f"{size:>3} at once: {success:.1%} of {run.asked} in time, mean {run.mean or 0:.2f} s, "
        f"p99 {run.p99 or 0:.2f} s; {run.refused} refused, {run.late} late, {run.failed} failed, "
        f"{run.lost} lost; in flight {run.in_flight:.1f} = rate x latency, {seen:.1f} seen",
        flush=True,
    )
    return {
        f"burst_{size}_success": round(success, 4),
        f"burst_{size}_mean_s": run.mean and round(run.mean, 3),
        f"burst_{size}_p99_s": run.p99 and round(run.p99, 3),
        f"burst_{size}_refused": run.refused,
        f"burst_{size}_lost": run.lost,
        f"burst_{size}_in_flight": round(run.in_flight, 2),
        f"burst_{size}_in_flight_seen": round(seen, 2),
    }


async def _look(gateway: str, looks: list[int]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{gateway}/metrics", params={"format": "json"}) as answer:
                page = await answer.json()
            looks.append(page["queue_size"] + page["active_requests"])
            due += LOOK
            await asyncio.sleep(max(0.0, due - loop.time()))


async def _capacity(engine: str, limit: int) -> float:
    """Answers a second of the engine, with ``limit`` at once."""
    fates = await closed(engine, at_once=limit, seconds=10, patience=PATIENCE)
    return len(fates) / max(fate.ended for fate in fates)
