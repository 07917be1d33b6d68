"""What the second process adds to the road without a model, edge to edge.

A command that returns a constant, asked at a steady rate in private chats. Two
bots, one of two processes and one with ``--single``, get the same work in turns,
so that what slows the machine for a while slows both. Latency counts from the
moment at which the message was due (open loop) to the answer's arrival at the
Bot API server, and includes HTTP both ways. Times are in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from contextlib import AsyncExitStack
from typing import Any, Final, TextIO

from chaos_parts.quiet import Quiet, running

SIDES: Final = {"two": (), "single": ("--single",)}
WARM_UP: Final = 200


async def slice_of(bot: Quiet, messages: int, rate: float) -> list[float]:
    """Latencies in seconds of so many messages; one that is not answered raises TimeoutError."""
    due: dict[tuple[int, int], float] = {}
    server = bot.server
    after = server.sent[-1].n if server.sent else 0
    began = time.time()
    for number in range(messages):
        at = began + number / rate
        await asyncio.sleep(max(0.0, at - time.time()))
        message = server.say(random.choice(bot.people), "/constant")
        due[message["chat"]["id"], message["message_id"]] = at
    await server.wait(lambda: len(server.records(after)) >= messages, 60.0)
    arrived = [record for record in server.records(after) if record.kind == "sent"]
    return [
        record.at - due[record.chat_id, record.message["reply_to_message"]["message_id"]]
        for record in arrived
    ]


async def measure(messages: int, rate: float, rounds: int) -> dict[str, list[float]]:
    """Latencies of both sides, in seconds."""
    found: dict[str, list[float]] = {side: [] for side in SIDES}
    async with AsyncExitStack() as stack:
        bots = {
            side: await stack.enter_async_context(running(*options))
            for side, options in SIDES.items()
        }
        for side, bot in bots.items():
            if (bot.program.worker() is None) != (side == "single"):
                raise RuntimeError(f"{side}: it does not run as it should")
            await slice_of(bot, WARM_UP, rate)
        for number in range(rounds):
            order = list(bots) if number % 2 else list(reversed(bots))
            for side in order:
                found[side] += await slice_of(bots[side], messages // rounds, rate)
        for bot in bots.values():
            await bot.program.stop()
    return found


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of them lie, in milliseconds."""
    ordered = sorted(values)
    return round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3)


def figures(found: dict[str, list[float]]) -> dict[str, Any]:
    """p50 and p99 of both, and what the second process adds."""
    result: dict[str, Any] = {}
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        for side, values in found.items():
            result[f"{side}_{name}_ms"] = percentile(values, share)
        added = result[f"two_{name}_ms"] - result[f"single_{name}_ms"]
        result[f"added_{name}_ms"] = round(added, 3)
    return result | {f"{side}_messages": len(values) for side, values in found.items()}


def tell(result: dict[str, Any], out: TextIO) -> None:
    """For people."""
    for side, label in (("two", "two processes"), ("single", "one process"), ("added", "added")):
        p50, p99 = result[f"{side}_p50_ms"], result[f"{side}_p99_ms"]
        print(f"{label:14} p50 {p50:8.2f} ms   p99 {p99:8.2f} ms", file=out)


def main() -> None:
    """Measure, and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=3000, help="to each of the two")
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    asked = parser.parse_args()
    if asked.messages < asked.rounds or asked.rounds < 1 or asked.rate <= 0:
        parser.error("--messages must be at least --rounds, and --rate more than 0")
    result = figures(asyncio.run(measure(asked.messages, asked.rate, asked.rounds)))
    tell(result, sys.stderr if asked.json else sys.stdout)
    print(json.dumps({"rate": asked.rate} | result))


if __name__ == "__main__":
    main()
