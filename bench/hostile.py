"""Eleven plugins that do everything wrong: does the bot stay up, and do others notice?

Two bots get the same questions in turns: a calm one, and one that has all the hostile
plugins (bench/hostile_parts/plugins). While people ask, others call each hostile command
again and again. Then, once those plugins rest, both bots are asked on, the hostile
commands still being called. Latency counts from the moment at which the message was due.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chaos_parts.quiet import Quiet, running

PLUGINS: Final = sorted((Path(__file__).parent / "hostile_parts" / "plugins").glob("*.py"))
COMMANDS: Final = ("/throw", "/doze", "/leak", "/spawn", "/shout", "/stall", "/segfault")
UNLOADABLE: Final = ("importer", "signatures", "clash", "starter")
OWNER: Final = 1000
HOSTILES: Final = 10
"""People who call the hostile commands; the others only ask."""
TIMEOUT: Final = 10.0
"""Seconds that an answer may take, so that /doze is over soon."""
MEMORY: Final = 400
"""MB that the worker may take."""
SUMMARY: Final = re.compile(r"(\d+) accepted = (\d+) answered \+ (\d+) noticed")


@dataclass(slots=True)
class Asked:
    """What was asked, by (chat, message), with the time it was due; and the latencies."""

    due: dict[tuple[int, int], float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    after: int = 0

    def read(self, bot: Quiet) -> None:
        """Note what has been answered since."""
        for record in bot.server.records(self.after):
            self.after = record.n
            quoted = (record.message or {}).get("reply_to_message", {}).get("message_id", 0)
            due = self.due.pop((record.chat_id, quoted), None) if record.kind == "sent" else None
            if due is not None:
                self.waits.append(record.at - due)


async def ask(bot: Quiet, seconds: float, rate: float, seed: int) -> list[float]:
    """Have people ask for so long; the latencies, ``inf`` for what was not answered."""
    chooser = random.Random(seed)
    asked = Asked(after=bot.server.records(0)[-1].n if bot.server.records(0) else 0)
    began = time.time()
    for number in range(int(seconds * rate)):
        at = began + number / rate
        await asyncio.sleep(max(0.0, at - time.time()))
        person = chooser.choice(bot.people[HOSTILES:])
        message = bot.server.say(person, "/constant")
        asked.due[message["chat"]["id"], message["message_id"]] = at
        asked.read(bot)
    ends = time.time() + 60
    while asked.due and time.time() < ends:
        await asyncio.sleep(0.05)
        asked.read(bot)
    return asked.waits + [float("inf")] * len(asked.due)


async def provoke(bot: Quiet, every: float, done: asyncio.Event) -> int:
    """Call the hostile commands in turn until ``done``; how often."""
    count = 0
    while not done.is_set():
        person = bot.people[1 + count % (HOSTILES - 1)]
        bot.server.say(person, COMMANDS[count % len(COMMANDS)])
        count += 1
        await asyncio.sleep(every)
    return count


async def beside(bot: Quiet, seconds: float, rate: float, every: float, seed: int) -> list[float]:
    """As :func:`ask`, while the hostile commands are called."""
    done = asyncio.Event()
    calling = asyncio.create_task(provoke(bot, every, done))
    try:
        return await ask(bot, seconds, rate, seed)
    finally:
        done.set()
        await calling


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is told at the end."""
    async with AsyncExitStack() as stack:
        calm = await stack.enter_async_context(running(people=40, timeout=TIMEOUT))
        hostile = await stack.enter_async_context(
            running(people=40, timeout=TIMEOUT, more=PLUGINS, owner=OWNER, memory=MEMORY)
        )
        pid = hostile.program.pid
        for bot in (calm, hostile):
            await ask(bot, 2, options.rate, 0)
        provoked = await beside(hostile, options.provoke, options.rate, 0.5, 1)
        base: list[float] = []
        after: list[float] = []
        for turn in range(options.rounds):
            base += await ask(calm, options.seconds, options.rate, 2 + turn)
            after += await beside(hostile, options.seconds, options.rate, 0.5, 2 + turn)
        up = hostile.program.running and hostile.program.pid == pid
        told = [r.text or "" for r in hostile.server.sent if r.chat_id == OWNER]
        status = await hostile.program.stop()
        await calm.program.stop()
        accepted, answered, noticed = map(int, SUMMARY.findall(hostile.program.said())[-1])
        shouted = sum((r.text or "") == "hear me" for r in hostile.server.sent)
    return {
        "stayed_up": up and status == 0,
        "asked": len(provoked) + len(after),
        "unanswered": sum(wait == float("inf") for wait in (*provoked, *after)),
        "lost": accepted - answered - noticed,
        "worst_stall_s": round(max(provoked), 2),
        "worst_after_s": round(max(after), 2),
        "p50_calm_ms": _ms(base, 0.5),
        "p99_calm_ms": _ms(base, 0.99),
        "p99_provoked_ms": _ms(provoked, 0.99),
        "p50_after_ms": _ms(after, 0.5),
        "p99_after_ms": _ms(after, 0.99),
        "p99_ratio": round(_ms(after, 0.99) / _ms(base, 0.99), 2),
        "shouted": shouted,
        "owner_told": sorted({name for name in _names() if any(name in text for text in told)}),
    }


def _names() -> list[str]:
    return [plugin.stem.removeprefix("clawdbot_") for plugin in PLUGINS]


def _ms(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)


def main() -> None:
    """Measure, and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--provoke", type=float, default=60.0, help="seconds of the first part")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each turn after it")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--rate", type=float, default=20.0, help="questions a second")
    options = parser.parse_args()
    if min(options.provoke, options.seconds, options.rate, options.rounds) <= 0:
        parser.error("all figures must be above 0")
    found = asyncio.run(measure(options))
    for name, value in found.items():
        print(f"{name:16} {value}", file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
