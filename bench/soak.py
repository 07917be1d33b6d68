"""Many messages through one run: memory must stay flat, and nothing may pile up.

The limits are raised to 1,000 messages a second. People keep a fixed number of
messages open, so that what waits doesn't count as growth. The slope is that of
the straight line nearest to the resident memory (least squares) over the second
half, in MB per 100,000 messages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

from chaos_parts.processes import open_files, resident, threads
from chaos_parts.quiet import Quiet, running

TEXTS: Final = ("/echo", "/echo", "/work", "/file", "well,", "well,")
SINGLE: Final = 5000
"""Messages of the second, shorter run in one process, where all tasks can be counted."""
IDLE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident bytes of both processes when ``messages`` had been answered."""

    messages: int
    edge: int
    worker: int


@dataclass(frozen=True, slots=True)
class Count:
    """What a run holds while nobody writes."""

    files: int
    threads: int
    tasks: int


class Soak:
    """One run."""

    def __init__(self, bot: Quiet, *, open_at_once: int, seed: int) -> None:
        self._bot = bot
        self._most = open_at_once
        self._random = random.Random(seed)
        self._last = 0
        self._answered = 0
        self.samples: list[Sample] = []

    async def run(self, messages: int) -> float:
        """Have so many answered; the seconds it took. Raises TimeoutError when it gets stuck."""
        server = self._bot.server
        loop = asyncio.get_running_loop()
        began, written = loop.time(), 0
        self._answered, self._last = 0, self._n()
        every = max(messages // 100, 1)
        while self._answered < messages:
            while written < messages and written - self._answered < self._most:
                person = self._random.choice(self._bot.people)
                server.say(person, f"{self._random.choice(TEXTS)} k{written:012}")
                written += 1
            before = self._answered
            await server.wait(self._more, 60.0)
            if before // every != self._answered // every:
                self._sample()
        return loop.time() - began

    async def count(self) -> Count:
        """What both processes hold now."""
        await asyncio.sleep(IDLE_SECONDS)
        answer = await self._bot.ask("/tasks")
        pids = self._bot.program.pids()
        return Count(
            sum(len(open_files(pid)) for pid in pids),
            sum(map(threads, pids)),
            int(answer.removeprefix("tasks ")),
        )

    def _n(self) -> int:
        records = self._bot.server.records(self._last)
        return records[-1].n if records else self._last

    def _more(self) -> bool:
        records = self._bot.server.records(self._last)
        if records:
            self._last = records[-1].n
            self._answered += sum(record.kind == "sent" for record in records)
        return bool(records)

    def _sample(self) -> None:
        edge, *workers = self._bot.program.pids()
        self.samples.append(Sample(self._answered, resident(edge), sum(map(resident, workers))))


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the line that is nearest to the points by least squares; 0 for fewer than 2."""
    if len(points) < 2:
        return 0.0
    xs, ys = [x for x, _ in points], [y for _, y in points]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    shared = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return shared / spread if spread else 0.0


def growth(samples: Sequence[Sample], process: str) -> float:
    """MB per 100,000 messages over the second half."""
    half = samples[len(samples) // 2 :]
    points = [(s.messages / 100_000, getattr(s, process) / 2**20) for s in half]
    return round(slope(points), 2)


async def measure(messages: int, open_at_once: int, seed: int, out: TextIO) -> dict[str, Any]:
    """The figures by name."""
    async with running(people=500, keep=20_000, timeout=600.0) as bot:
        soak = Soak(bot, open_at_once=open_at_once, seed=seed)
        await soak.run(min(messages // 10, 2000))
        before = await soak.count()
        soak.samples.clear()
        took = await soak.run(messages)
        after = await soak.count()
        for sample in soak.samples[:: max(len(soak.samples) // 10, 1)]:
            print(
                f"{sample.messages:8} messages   edge {sample.edge / 2**20:7.1f} MB   "
                f"worker {sample.worker / 2**20:7.1f} MB",
                file=out,
            )
        found = {
            "messages": messages,
            "per_second": round(messages / took),
            "edge_mb_per_100k": growth(soak.samples, "edge"),
            "worker_mb_per_100k": growth(soak.samples, "worker"),
            "edge_mb": round(soak.samples[-1].edge / 2**20, 1),
            "worker_mb": round(soak.samples[-1].worker / 2**20, 1),
            "files_before": before.files,
            "files_after": after.files,
            "threads_before": before.threads,
            "threads_after": after.threads,
            "worker_tasks_before": before.tasks,
            "worker_tasks_after": after.tasks,
            "violations": len(bot.server.violations),
            "server_crashes": len(bot.server.crashes),
            "exit_status": await bot.program.stop(),
        }
    async with running("--single", people=500, keep=20_000, timeout=600.0) as bot:
        soak = Soak(bot, open_at_once=open_at_once, seed=seed)
        await soak.run(min(messages, SINGLE) // 5)
        before = await soak.count()
        await soak.run(min(messages, SINGLE))
        after = await soak.count()
        await bot.program.stop()
    return found | {"all_tasks_before": before.tasks, "all_tasks_after": after.tasks}


def tell(result: dict[str, Any], out: TextIO) -> None:
    """For people."""
    print(
        f"{result['messages']} messages, {result['per_second']} a second; slope per 100,000: "
        f"edge {result['edge_mb_per_100k']} MB, worker {result['worker_mb_per_100k']} MB",
        file=out,
    )
    for name in ("files", "threads", "worker_tasks", "all_tasks"):
        before, after = result[f"{name}_before"], result[f"{name}_after"]
        print(f"{name.replace('_', ' '):14} {before} before, {after} after", file=out)


def wrong(result: dict[str, Any]) -> list[str]:
    """What must not be, whatever the machine: leaks of tasks and connections, a bad end."""
    found = []
    for name, spare in (("files", 20), ("worker_tasks", 5), ("all_tasks", 5)):
        if result[f"{name}_after"] > result[f"{name}_before"] + spare:
            found.append(f"{name.replace('_', ' ')} pile up")
    bad = [name for name in ("violations", "server_crashes", "exit_status") if result[name]]
    return found + [f"{name.replace('_', ' ')}: {result[name]}" for name in bad]


def main() -> None:
    """Measure, and say what came out; exit status 1 where something leaks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--open", type=int, default=200, help="messages open at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    asked = parser.parse_args()
    if asked.messages < 100 or asked.open < 1:
        parser.error("--messages must be at least 100, and --open at least 1")
    out = sys.stderr if asked.json else sys.stdout
    result = asyncio.run(measure(asked.messages, asked.open, asked.seed, out))
    tell(result, out)
    leaks = wrong(result)
    for line in leaks:
        print(f"FAILED: {line}", file=out)
    print(json.dumps(result))
    sys.exit(bool(leaks))


if __name__ == "__main__":
    main()
