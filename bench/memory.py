"""What a waiting message takes in both processes together, and what both take idle.

Idle is the proportional set size (PSS: shared pages count by their share) of both
processes after a start. The waiting messages have 300 characters and come from
1,000 private chats; eight are in a plugin's hands and the others wait. What they
take is what the resident memory of both processes grows by after a few were answered;
``from_idle`` counts from the start, and so all that a first message brings with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from functools import partial
from typing import Any, Final, TextIO

from chaos_parts.processes import proportional, resident
from chaos_parts.program import Program
from chaos_parts.quiet import Quiet, running

HOUR: Final = 3600.0
GOALS: Final = {"bytes_per_waiting": 4096, "pss_idle_mb": 125}
STEADY: Final = 1.0
"""Seconds in which memory must not grow before it is read."""
LOOKS: Final = 60
FEW: Final = 5


async def settled(program: Program) -> int:
    """Resident bytes of both processes, once they have stopped growing."""
    last = 0
    for _ in range(LOOKS):
        await asyncio.sleep(STEADY)
        now = sum(map(resident, program.pids()))
        if abs(now - last) < 64 * 1024:
            return now
        last = now
    return last


async def measure(messages: int, length: int, warm_up: int) -> dict[str, Any]:
    """The figures by name."""
    async with running(people=1000, concurrent=8, timeout=HOUR) as bot:
        idle_bytes = await settled(bot.program)
        pids = bot.program.pids()
        pss = [proportional(pid) for pid in pids]
        idle = {"edge": pids[:1], "worker": pids[1:]}
        result: dict[str, Any] = {
            f"rss_idle_{name}_mb": round(sum(map(resident, ids)) / 2**20, 1)
            for name, ids in idle.items()
        }
        known = [value for value in pss if value is not None]
        complete = len(known) == len(pss)
        result["pss_idle_mb"] = round(sum(known) / 2**20, 1) if complete else None
        await warm(bot, warm_up)
        before = await settled(bot.program)
        await fill(bot, messages, length)
        after = await settled(bot.program)
        waiting = messages - (len(bot.server.sent) - warm_up)
        result |= {
            "waiting": waiting,
            "characters": length,
            "rss_before_mb": round(before / 2**20, 1),
            "rss_waiting_mb": round(after / 2**20, 1),
            "bytes_per_waiting": round((after - before) / waiting),
            "bytes_per_waiting_from_idle": round((after - idle_bytes) / waiting),
        }
        return result


async def warm(bot: Quiet, messages: int) -> None:
    """Have some answered first: what every run takes once is not what a message takes.

    A few at a time, so that no memory is left free by them that the waiting would fill.
    """
    for number in range(messages):
        bot.server.say(bot.people[number % len(bot.people)], "/constant")
        if number % FEW == FEW - 1 or number == messages - 1:
            await bot.server.wait(lambda: not bot.server.pending, 60.0)
            await bot.server.wait(partial(answered, bot, number + 1), 60.0)


def answered(bot: Quiet, messages: int) -> bool:
    """Whether so many were."""
    return len(bot.server.sent) >= messages


async def fill(bot: Quiet, messages: int, length: int) -> None:
    """Write messages that wait, until the bot has taken all of them."""
    for number in range(messages):
        text = f"/hold {number:06} "
        bot.server.say(bot.people[number % len(bot.people)], text + "x" * (length - len(text)))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await bot.server.wait(lambda: bot.server.pending == 0, 120.0)


def tell(result: dict[str, Any], out: TextIO) -> None:
    """For people."""
    print(
        f"{result['waiting']} messages of {result['characters']} characters wait: both processes "
        f"grew from {result['rss_before_mb']} to {result['rss_waiting_mb']} MB",
        file=out,
    )
    for name, goal in GOALS.items():
        value = result[name]
        if value is None:
            print(f"{name:18} can't be read here (it takes root)", file=out)
            continue
        verdict = "met" if value <= goal else "NOT met"
        print(f"{name:18} {value:>8}   goal: at most {goal}: {verdict}", file=out)


def main() -> None:
    """Measure, and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000, help="that wait")
    parser.add_argument("--length", type=int, default=300, help="characters of each")
    parser.add_argument("--warm-up", type=int, default=200, help="answered before")
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    asked = parser.parse_args()
    if asked.messages < 1 or asked.length < 20 or asked.warm_up < 1:
        parser.error("--messages and --warm-up must be at least 1, --length at least 20")
    result = asyncio.run(measure(asked.messages, asked.length, asked.warm_up))
    tell(result, sys.stderr if asked.json else sys.stdout)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
