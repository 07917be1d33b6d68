"""Updates per second from raw JSON bytes to the call of a plugin's function.

ClawdBot, python-telegram-bot and aiogram get the same bytes (answers of
getUpdates, 100 private messages each) and functions that do the same; every
call is checked afterwards. With 1, 20 and 100 commands of as many plugins, the
calls are spread evenly over all of them; with 100 handlers of text messages
only the last one answers. ClawdBot goes its whole road, until its edge has
closed the books of every update; the others the shortest road that they have.

A round is one new process a framework, on one core; who begins rotates. In it
all scenes are set up and warmed up, then get their updates a slice (200) at a
time, in random order. So no framework inherits another's heap, hash seed or
imports, what slows the machine for a while slows all scenes alike, and the
garbage collector stays as Python sets it. Seconds are those of the processor:
all are used by an event loop that always has work, and another program's time
isn't counted as ours. Ratios are taken inside each round, and their median is
reported.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from statistics import median
from typing import Any, Final, TextIO

from routing_sides.measuring import measure
from routing_sides.traffic import Scene

SIDES: Final = {"clawdbot": "clawdcore", "ptb": "telegram", "aiogram3": "aiogram"}
"""The module of each side, and the package that it can't run without."""
LABELS: Final = {"clawdbot": "ClawdBot", "ptb": "python-telegram-bot", "aiogram3": "aiogram"}
PREFIXES: Final = {"clawdbot": "", "ptb": "ptb_", "aiogram3": "aiogram_"}
TIMES: Final = {"clawdbot": 4, "ptb": 1, "aiogram3": 1}
"""How many times ``--updates`` a side gets: a full collection of garbage (some 30 ms,
every few thousand updates) would otherwise weigh on whichever scene it falls into."""
SCENES: Final = (
    Scene("commands", 1),
    Scene("commands", 20),
    Scene("commands", 100),
    Scene("handlers", 100),
)
GOALS: Final = {
    "cost_100_over_1": ("at most", 1.1),
    "over_ptb_100": ("at least", 2.4),
    "over_aiogram_100": ("at least", 8.0),
}

Rates = dict[str, dict[str, list[float]]]
"""Updates per second: by side, by scene, one a round."""


def start(side: str, updates: int, cpu: int | None) -> dict[str, tuple[float, float]]:
    """:func:`measure` in a new process. Raises CalledProcessError when it fails."""
    command = [sys.executable, __file__, "--only", side, "--updates", str(updates * TIMES[side])]
    if cpu is not None:
        command += ["--cpu", str(cpu)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, tuple[float, float]] = json.loads(done.stdout.splitlines()[-1])
    return result


def figures(rates: Rates) -> dict[str, Any]:
    """The figures by name; those of a side that is missing are None."""
    result: dict[str, Any] = {}
    for side, prefix in PREFIXES.items():
        for scene in SCENES:
            found = rates.get(side, {}).get(scene.name)
            result[prefix + scene.name] = round(median(found)) if found else None
    ours = rates["clawdbot"]
    for side in ("ptb", "aiogram3"):
        for scene in SCENES[2:]:
            name = "over_" + (PREFIXES[side] + scene.name).replace("commands_", "")
            theirs = rates.get(side, {}).get(scene.name)
            result[name] = ratio(ours[scene.name], theirs) if theirs else None
    result["cost_100_over_1"] = ratio(ours["commands_1"], ours["commands_100"])
    return result


def ratio(top: list[float], bottom: list[float]) -> float:
    """The median of the rounds' ratios."""
    return round(median(a / b for a, b in zip(top, bottom, strict=True)), 3)


def print_table(rates: Rates, found: dict[str, Any], out: TextIO) -> None:
    """For people: the median, and in brackets the least and the most of the rounds."""
    heads = "".join(f"{scene.name:>26}" for scene in SCENES)
    print(f"\n{'updates/s, median (min to max)':32}{heads}", file=out)
    for side, scenes in rates.items():
        cells = (
            f"{median(r):,.0f} ({min(r):,.0f} to {max(r):,.0f})"
            for r in (scenes[scene.name] for scene in SCENES)
        )
        print(f"{LABELS[side]:32}" + "".join(f"{cell:>26}" for cell in cells), file=out)
    print(file=out)
    for name, (direction, goal) in GOALS.items():
        value = found[name]
        if value is None:
            print(f"{name:18} not measured", file=out)
            continue
        met = value <= goal if direction == "at most" else value >= goal
        verdict = "met" if met else "NOT met"
        print(f"{name:18} {value:6.2f}   goal: {direction} {goal}: {verdict}", file=out)


def present(out: TextIO) -> list[str]:
    """The sides that can run here; says of each other one why it can't."""
    found = []
    for side, package in SIDES.items():
        if importlib.util.find_spec(package) is None:
            reason = f"the package {package} is not installed"
            print(f"{LABELS[side]} is not measured: {reason}", file=out)
        else:
            found.append(side)
    return found


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--updates", type=int, default=5000, help="for each scene in each round")
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    parser.add_argument("--cpu", type=int, help="the core to run on (default: the last one)")
    parser.add_argument("--only", choices=SIDES, help="one side, once, in this process")
    asked = parser.parse_args()
    if asked.rounds < 1 or asked.updates < 1:
        parser.error("--rounds and --updates must be at least 1")
    return asked


def main() -> None:
    """Measure round after round, then say what came out."""
    asked = arguments()
    cpu = asked.cpu
    if hasattr(os, "sched_setaffinity"):
        cpu = max(os.sched_getaffinity(0)) if cpu is None else cpu
        if asked.only:
            os.sched_setaffinity(0, {cpu})
    if asked.only:
        print(json.dumps(asyncio.run(measure(asked.only, SCENES, asked.updates))))
        return
    notes = sys.stderr if asked.json else sys.stdout
    sides = present(notes)
    rates: Rates = {side: {scene.name: [] for scene in SCENES} for side in sides}
    least_share = 1.0
    for turn in range(asked.rounds):
        at = turn % len(sides)
        for side in (*sides[at:], *sides[:at]):
            for name, (rate, share) in start(side, asked.updates, cpu).items():
                rates[side][name].append(rate)
                least_share = min(least_share, share)
        print(f"round {turn + 1} of {asked.rounds} done", file=sys.stderr, flush=True)
    found = figures(rates)
    print_table(rates, found, notes)
    if least_share < 0.9:
        print(f"Other programs ran: one measurement had {least_share:.0%} of a core.", file=notes)
    found |= {"rounds": asked.rounds, "updates": asked.updates}
    print(json.dumps(found | {"least_cpu_share": round(least_share, 3)}))


if __name__ == "__main__":
    main()
