"""Updates per second from raw JSON bytes to the call of a plugin's function.

ClawdBot, python-telegram-bot and aiogram get the same bytes (answers of
getUpdates, 100 private messages each) and functions that do the same; every
call is checked afterwards. With 1, 20 and 100 commands of as many plugins, the
calls are spread evenly over all of them; with 100 handlers of text messages
only the last one answers. ClawdBot goes its whole road, until its edge has
closed the books of every update; the others the shortest road that they have.

A round runs every scene of every framework, each in a new process on one core,
one after the other, warmed up first; who begins rotates. So nobody inherits
another's heap, hash seed or imports, the garbage collector stays as Python
sets it, and what else happens on the machine meets all of them. Ratios are
taken inside each round, and their median is reported.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any, Final, TextIO

from routing_sides.traffic import Calls, Scene, Side, answers

SIDES: Final = {"clawdbot": "clawdcore", "ptb": "telegram", "aiogram3": "aiogram"}
"""The module of each side, and the package that it can't run without."""
LABELS: Final = {"clawdbot": "ClawdBot", "ptb": "python-telegram-bot", "aiogram3": "aiogram"}
PREFIXES: Final = {"clawdbot": "", "ptb": "ptb_", "aiogram3": "aiogram_"}
SCENES: Final = (
    Scene("commands", 1),
    Scene("commands", 20),
    Scene("commands", 100),
    Scene("handlers", 100),
)
WARM_UP: Final = 0.2
"""The part of the updates that is done before the clock starts."""
LEAST_ROUNDS: Final = 7
GOALS: Final = {
    "cost_100_over_1": ("at most", 1.1),
    "over_ptb_100": ("at least", 2.4),
    "over_aiogram_100": ("at least", 8.0),
}

Rates = dict[str, dict[str, list[float]]]
"""Updates per second: by side, by scene, one a round."""


async def measure(side_name: str, scene: Scene, updates: int) -> tuple[float, float]:
    """Updates per second, and the part of a core that we got meanwhile (0 to 1)."""
    module = importlib.import_module(f"routing_sides.{side_name}")
    calls = Calls(scene.size)
    side: Side = module.Side(scene, calls)
    # A whole number of turns over all functions, so that the calls stay evenly spread.
    turn = len(scene.answering)
    warm = max(1, round(updates * WARM_UP / turn)) * turn
    before, work = answers(scene, warm), answers(scene, updates, first=warm)
    await side.open()
    await side.run(before)
    gc.collect()
    cpu, start = time.process_time(), time.perf_counter()
    await side.run(work)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    await side.close()
    calls.check(scene, warm + updates)
    return updates / wall, cpu / wall


def start(side: str, scene: Scene, updates: int, cpu: int | None) -> tuple[float, float]:
    """:func:`measure` in a new process. Raises CalledProcessError when it fails."""
    command = [sys.executable, __file__, "--only", side, scene.name, "--updates", str(updates)]
    if cpu is not None:
        command += ["--cpu", str(cpu)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    rate, share = json.loads(done.stdout.splitlines()[-1])
    return rate, share


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
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS)
    parser.add_argument("--updates", type=int, default=5000, help="updates a scene and round")
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    parser.add_argument("--cpu", type=int, help="the core to run on (default: the last one)")
    parser.add_argument(
        "--only", nargs=2, metavar=("SIDE", "SCENE"), help="measure one thing once, in this process"
    )
    asked = parser.parse_args()
    if asked.rounds < 1 or asked.updates < 1:
        parser.error("--rounds and --updates must be at least 1")
    return asked


def main() -> None:
    """Measure round after round, then say what came out."""
    asked = arguments()
    cpu = asked.cpu
    if cpu is None and hasattr(os, "sched_getaffinity"):
        cpu = max(os.sched_getaffinity(0))
    if asked.only:
        side, name = asked.only
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        scene = next(scene for scene in SCENES if scene.name == name)
        print(json.dumps(asyncio.run(measure(side, scene, asked.updates))))
        return
    notes = sys.stderr if asked.json else sys.stdout
    sides = present(notes)
    rates: Rates = {side: {scene.name: [] for scene in SCENES} for side in sides}
    least_share = 1.0
    for turn in range(asked.rounds):
        at = turn % len(sides)
        for scene in SCENES:
            for side in (*sides[at:], *sides[:at]):
                rate, share = start(side, scene, asked.updates, cpu)
                rates[side][scene.name].append(rate)
                least_share = min(least_share, share)
        print(f"round {turn + 1} of {asked.rounds} done", file=sys.stderr, flush=True)
    found = figures(rates)
    print_table(rates, found, notes)
    if least_share < 0.9:
        print(f"Something else ran: one measurement got {least_share:.0%} of a core.", file=notes)
    found |= {"rounds": asked.rounds, "updates": asked.updates}
    print(json.dumps(found | {"least_cpu_share": round(least_share, 3)}))


if __name__ == "__main__":
    main()
