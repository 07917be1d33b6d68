"""Floods of 1.9, 5 and 10 times what the engine can do: do quiet people notice?

What the engine can do (C) is measured first, by as many callers as it runs at once,
each asking again when answered; so is the baseline: the p99 of that, with as many
running and nobody waiting. In time is within twice the baseline. Then quiet people
ask for a quarter of C beside a flood of so many times C, both as Poisson processes,
open loop: a latency counts from when the question was due. Each program is a process
of its own: the engine (simulated, or a real vLLM), ClawdBot, and what it is compared with.

Gateway: callers of the OpenAI API, each with a token, beside smg with its priority scheduler.
Chats: people in Telegram, beside a bot of python-telegram-bot with nothing before the model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from flood_parts import herds, sides
from flood_parts.calling import closed, play
from flood_parts.chats import Chats
from flood_parts.plan import QUIET_SHARE, SCENARIOS, Call, Scenario, equals, flood
from flood_parts.tally import WARM, WINDOW, Fate, Figures, figures, jain

from clawdcore.cli.rehearse_measure import quantile
from clawdcore.testing.botapi import BotApiServer

EQUALS: Final = 8
"""Chats that ask alike, for Jain's index."""
SMG: Final = ("b",)
PLAIN: Final = ("a", "b")
"""What the others are measured with, at the first of ``--times``."""
REST: Final = 3.0
"""Seconds between two runs, in which what is left over ends."""
Found = dict[str, Any]


class Measuring:
    """What all the runs of a bench share. Times in seconds, rates a second."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.capacity = 0.0
        self.baseline = 0.0
        self.found: Found = {"engine": options.engine, "limit": options.limit}

    @property
    def within(self) -> float:
        """What is in time."""
        return 2 * self.baseline

    @property
    def patience(self) -> float:
        """After this an answer is lost."""
        return 3 * self.within + 10

    def plan(self, scenario: Scenario, times: float) -> list[Call]:
        """The schedule of a run."""
        options = self.options
        return flood(
            scenario, times, capacity=self.capacity, seconds=options.seconds, seed=options.seed
        )

    def told(self, side: str, name: str, times: float, fates: list[Fate]) -> Figures:
        """Print a run, and keep its figures under ``side``, "" for our gateway."""
        run = figures(fates, seconds=self.options.seconds, within=self.within)
        key = f"{name}_{times:g}"
        over = run.quiet_p99 / self.baseline if run.quiet_p99 is not None else math.nan
        self.found[f"{side}quiet_ok_{key}"] = rounded(run.quiet_ok)
        self.found[f"{side}quiet_p99_over_baseline_{key}"] = rounded(over)
        self.found[f"{side}goodput_over_c_{key}"] = rounded(run.goodput / self.capacity)
        print(
            f"{side or 'gateway_':14} {name} {times:>4g}x: quiet {run.quiet_ok or 0:6.1%} of "
            f"{run.quiet_asked} in time, p50 {shown(run.quiet_p50)} p99 {shown(run.quiet_p99)} s "
            f"({over:.2f} x baseline); goodput {run.goodput / self.capacity:.2f} C; of {run.asked} "
            f"{run.in_time} in time, {run.late} late, {run.refused} refused, {run.failed} failed, "
            f"{run.lost} lost; in flight {run.in_flight:.0f}",
            flush=True,
        )
        return run


def rounded(value: float | None) -> float | None:
    """For the line of figures: three digits, None where there is no such number."""
    return None if value is None or not math.isfinite(value) else round(value, 3)


def shown(value: float | None) -> str:
    """For people."""
    return "-" if value is None else f"{value:.2f}" if math.isfinite(value) else "never"


async def capacity(measuring: Measuring, engine: str) -> None:
    """Measure C and the baseline."""
    options = measuring.options
    seconds = max(20.0, options.seconds / 2)
    fates = await closed(engine, at_once=options.limit, seconds=seconds, patience=300)
    begin = WARM * seconds
    steady = [fate for fate in fates if begin <= fate.ended < seconds]
    measuring.capacity = len(steady) / (seconds - begin)
    measuring.baseline = quantile([fate.latency for fate in fates], 0.99) or math.nan
    mean = sum(fate.latency for fate in fates) / len(fates)
    measuring.found |= {
        "capacity_per_s": rounded(measuring.capacity),
        "baseline_mean_s": rounded(mean),
        "baseline_p99_s": rounded(measuring.baseline),
    }
    print(
        f"the engine does C = {measuring.capacity:.2f} answers/s with {options.limit} at once; "
        f"mean {mean:.2f} s, p99 {measuring.baseline:.2f} s; in time is {measuring.within:.2f} s; "
        f"at once = rate x mean = {measuring.capacity * mean:.1f}",
        flush=True,
    )


@asynccontextmanager
async def warm_bot(measuring: Measuring, engine: str) -> AsyncIterator[tuple[BotApiServer, str]]:
    """Our bot, warm: its Telegram, and the root of its gateway."""
    options = measuring.options
    async with (
        BotApiServer(sides.TOKEN, keep=sides.KEPT) as server,
        sides.clawdbot(
            measuring.folder,
            engine,
            limit=options.limit,
            within=measuring.within,
            api_root=server.root,
        ) as root,
    ):
        await closed(root, at_once=options.limit, seconds=10, patience=60)
        yield server, root


async def gateways(measuring: Measuring, engine: str) -> None:
    """The floods of API calls: ours, then smg's."""
    options = measuring.options
    kept: list[float] = []
    async with warm_bot(measuring, engine) as (_, root):
        for name in options.scenarios:
            for times in options.times:
                fates = await play(
                    measuring.plan(SCENARIOS[name], times),
                    root,
                    patience=measuring.patience,
                    returning_until=options.seconds if name == "c" else 0.0,
                )
                run = measuring.told("", name, times, fates)
                if run.eta_kept is not None:
                    kept.append(run.eta_kept)
                    measuring.found[f"eta_kept_{times:g}"] = rounded(run.eta_kept)
                    print(f"    of {run.came_back} who came back {run.eta_kept:.1%} were let in")
                await asyncio.sleep(REST)
        if options.jain:
            await fairness(measuring, root)
    goodputs = [measuring.found.get(f"goodput_over_c_{name}_10") for name in ("b", "c")]
    measuring.found["goodput_10x_over_c"] = least(goodputs)
    measuring.found["eta_kept"] = least(kept)
    if "smg" in options.beside:
        await beside_smg(measuring, engine)


async def beside_smg(measuring: Measuring, engine: str) -> None:
    """The same floods before smg."""
    options = measuring.options
    try:
        async with sides.smg(
            measuring.folder, engine, limit=options.limit, within=measuring.within
        ) as root:
            await closed(root, at_once=options.limit, seconds=5, patience=60)
            for name in SMG:
                calls = measuring.plan(SCENARIOS[name], options.times[0])
                fates = await play(calls, root, patience=measuring.patience)
                measuring.told("smg_", name, options.times[0], fates)
                await asyncio.sleep(REST)
    except sides.CannotStart as error:
        print(f"SKIPPED smg: {error}", flush=True)


async def fairness(measuring: Measuring, root: str) -> None:
    """Equal chats that all want more than there is: are their portions equal?"""
    options = measuring.options
    seconds = WINDOW / (1 - WARM) + 5
    calls = equals(EQUALS, 5, capacity=measuring.capacity, seconds=seconds, seed=options.seed)
    fates = await play(calls, root, patience=measuring.patience)
    begin = WARM * seconds
    index = jain(fates, begin=begin, end=begin + WINDOW, chats=EQUALS)
    measuring.found["jain"] = rounded(index)
    print(f"{EQUALS} equal chats at 5 x C: Jain's index of their tokens in 60 s is {index:.3f}")


async def chats(measuring: Measuring, engine: str) -> None:
    """The floods of people in Telegram: ours, then the plain bot's."""
    options = measuring.options
    async with warm_bot(measuring, engine) as (server, _):
        people = Chats(server)
        for name in options.scenarios:
            if SCENARIOS[name].kind == "media":
                continue  # no plugin of the workspace asks a model about pictures yet
            for times in options.times:
                calls = measuring.plan(SCENARIOS[name], times)
                fates = await people.play(calls, patience=measuring.patience)
                measuring.told("chat_", name, times, fates)
                await asyncio.sleep(REST)
    if "plain" not in options.beside:
        return
    for name in PLAIN:
        async with (
            BotApiServer(sides.TOKEN, keep=sides.KEPT) as server,
            sides.plain(measuring.folder, engine, api_root=server.root),
        ):
            calls = measuring.plan(SCENARIOS[name], options.times[0])
            fates = await Chats(server).play(calls, patience=measuring.patience)
            measuring.told("plain_", name, options.times[0], fates)


def least(values: Iterable[float | None]) -> float | None:
    """The smallest number of them, None of none."""
    return rounded(min((value for value in values if value is not None), default=None))


def parameters(options: argparse.Namespace) -> tuple[str, Found]:
    """The simulated engine: the preset, and what is changed in it."""
    from simulator.engine import PRESETS

    preset = "small" if options.limit <= 8 else "medium"
    known = PRESETS[preset]
    speed = options.speed
    return preset, {
        "max_sequences": options.limit,
        "a": known.a / speed,
        "b": known.b / speed,
        "c": known.c / speed,
    }


async def measure(options: argparse.Namespace) -> Found:
    """Everything that was asked for."""
    with tempfile.TemporaryDirectory(prefix="clawdbot-flood-") as name:
        measuring = Measuring(options, Path(name))
        if options.herd or options.bursts:
            preset, changes = parameters(options)
            if options.herd:
                measuring.found |= await herds.herd(measuring.folder, changes, preset, options)
            if options.bursts:
                measuring.found |= await herds.bursts(measuring.folder, changes, preset, options)
            return measuring.found
        if options.engine == "vllm":
            running = sides.vllm(measuring.folder, options.limit)
        else:
            preset, changes = parameters(options)
            running = sides.simulator(changes, preset)
        async with running as engine:
            await capacity(measuring, engine)
            if "gateway" in options.faces:
                await gateways(measuring, engine)
            if "chats" in options.faces:
                await chats(measuring, engine)
        return measuring.found


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=["simulator", "vllm"], default="simulator")
    parser.add_argument("--limit", type=int, default=8, help="generations at once")
    parser.add_argument("--speed", type=float, default=2.0, help="of the simulated engine")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each flood")
    parser.add_argument("--scenarios", default="abcde", help="which floods, of a b c d e")
    parser.add_argument("--times", default="1.9,5,10", help="how many times C, with commas")
    parser.add_argument("--faces", default="gateway,chats", help="of gateway and chats")
    parser.add_argument("--beside", default="smg,plain", help="of smg and plain; none for neither")
    parser.add_argument("--no-jain", dest="jain", action="store_false")
    parser.add_argument("--herd", action="store_true", help="50 people ask the same, nothing else")
    parser.add_argument("--bursts", action="store_true", help="10, 50, 100 at once, nothing else")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"--scenarios are of {' '.join(SCENARIOS)}, not {' '.join(sorted(unknown))}")
    try:
        options.times = [float(each) for each in options.times.split(",")]
    except ValueError:
        parser.error("--times are numbers with commas between, as 1.9,5,10")
    for name in ("limit", "speed", "seconds"):
        if getattr(options, name) <= 0:
            parser.error(f"--{name} must be above 0")
    if min(options.times) <= 0:
        parser.error("--times must be above 0")
    options.faces, options.beside = options.faces.split(","), options.beside.split(",")
    return options


def main() -> None:
    """Measure, and say what came out."""
    options = arguments()
    print(
        f"quiet people ask for {QUIET_SHARE:g} C; floods: "
        + "; ".join(f"{name} {SCENARIOS[name].title}" for name in options.scenarios)
    )
    try:
        found = asyncio.run(measure(options))
    except sides.CannotStart as error:
        sys.exit(f"bench/flood.py: {error}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
