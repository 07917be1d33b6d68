"""The gateway beside other proxies, in front of one upstream that costs next to nothing.

Every system is asked the same in turn, round by round, so that what slows the machine
for a while slows all. Closed loop: so many connections, each of which asks anew as soon
as its answer is there; that measures capacity, and at 1 at once what a proxy adds. The
system measured has one core, the load and the upstream have another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TextIO

import httpx
import msgspec
from chaos_parts.processes import workers
from chaos_parts.site import TOKEN, free_port
from gateway_parts import systems
from gateway_parts.figures import CELLS, Measured, figures
from gateway_parts.pinned import Pinned, cpu_seconds, output_of, running

from clawdcore.testing.botapi import BotApiServer

START_SECONDS: Final = 90.0
"""LiteLLM's proxy imports for 10 seconds and more."""
SETTLES: Final = 4
WARM: Final = 0.3
"""Seconds of each measurement that don't count."""


class Bench:
    """One run: what is measured on which core, and what came out so far."""

    def __init__(self, cores: tuple[int, int], folder: Path) -> None:
        self.system_core, self.load_core = cores
        self.folder = folder
        self.ports: dict[str, int] = {}
        self.skipped: dict[str, str] = {}
        self.pids: dict[str, int] = {}
        self.measured: dict[str, dict[str, list[Measured]]] = {}
        self.seats: dict[str, int] = {}
        self.cpu: dict[str, float] = {"edge": 0.0, "worker": 0.0}

    async def start(self, stack: AsyncExitStack, wanted: list[str]) -> None:
        """Start the upstream and every system that can be started.

        Raises:
            RuntimeError: the upstream can't.
        """
        self.ports["direct"] = port = free_port()
        root = f"http://127.0.0.1:{port}"
        command = systems.part("upstream", "--port", str(port))
        if why := await self._start(stack, "direct", command, port, self.load_core):
            raise RuntimeError(f"the upstream can't be started: {why}")
        for system in wanted:
            port = free_port()
            home = self.folder / system
            home.mkdir()
            why = systems.missing(system)
            if not why:
                telegram = ""
                if system in systems.BOTS:  # one each: two bots can't share a token's updates
                    telegram = (await stack.enter_async_context(BotApiServer(TOKEN))).root
                command = systems.command(system, port, root, telegram, home)
                why = await self._start(stack, system, command, port, self.system_core)
            if why:
                self.skipped[system] = why
                print(f"SKIPPED {system}: {why}", file=sys.stderr)
            else:
                self.ports[system] = port

    async def _start(
        self, stack: AsyncExitStack, system: str, command: list[str], port: int, core: int
    ) -> str:
        """Start it and wait for its first good answer; returns why there is none, or ""."""
        ours = command[0] == sys.executable
        folder = systems.BENCH if ours else self.folder / system
        async with AsyncExitStack() as mine:
            try:
                program = await mine.enter_async_context(
                    running(
                        command,
                        core=core,
                        folder=folder,
                        log=self.folder / f"{system}.log",
                        env=systems.environment(self.folder / system),
                    )
                )
            except OSError as error:
                return f"it can't be started ({error.strerror})"
            if why := await self._silent(program, port):
                return why
            self.pids[system] = program.process.pid
            stack.push_async_exit(mine.pop_all())
        return ""

    async def _silent(self, program: Pinned, port: int) -> str:
        ends = asyncio.get_running_loop().time() + START_SECONDS
        while asyncio.get_running_loop().time() < ends:
            if program.ended is not None:
                return f"it ended with status {program.ended}: {program.last_words()}"
            if (await self.ask(port, 1, seconds=0.2, warm=0.0, stream=False)).rate:
                return ""
            await asyncio.sleep(0.5)
        return f"no good answer in {START_SECONDS:.0f} s: {program.last_words()}"

    async def ask(
        self, port: int, at_once: int, *, seconds: float, warm: float, stream: bool
    ) -> Measured:
        """One measurement, by a process of its own; one that breaks is a failure like others."""
        options = ["--port", str(port), "--at-once", str(at_once)]
        options += ["--seconds", str(seconds), "--warm", str(warm)]
        command = systems.part("load", *options, *(["--stream"] if stream else []))
        try:
            printed = await output_of(command, core=self.load_core, folder=systems.BENCH)
            return msgspec.json.decode(printed, type=Measured)
        except (RuntimeError, msgspec.DecodeError) as error:
            print(error, file=sys.stderr)
            return Measured(0.0, failed=1)

    async def measure(self, rounds: int, seconds: float, settle: float) -> None:
        """Every load on every system, so many times.

        Before, each is driven for ``settle`` seconds, and a bot until it has all its seats:
        it finds out how much its server takes, and begins with few.
        """
        for system, port in self.ports.items():
            for _ in range(SETTLES):
                await self.ask(port, systems.SEATS, seconds=settle, warm=0.0, stream=False)
                if system not in systems.BOTS or await _seats(port) >= systems.SEATS:
                    break
        for number in range(rounds):
            names = list(self.ports)
            for cell, (at_once, stream) in CELLS.items():
                for system in names if number % 2 else reversed(names):
                    before = self._used(system)
                    found = await self.ask(
                        self.ports[system], at_once, seconds=seconds, warm=WARM, stream=stream
                    )
                    for name, used in self._used(system).items():
                        self.cpu[name] += used - before[name]
                    self.measured.setdefault(system, {}).setdefault(cell, []).append(found)
        for system in systems.BOTS:
            if system in self.ports:
                self.seats[system] = await _seats(self.ports[system])

    def _used(self, system: str) -> dict[str, float]:
        """Processor time of the bot's two processes, where it is the bot that is measured."""
        if system != "ours":
            return {}
        edge = self.pids[system]
        return {"edge": cpu_seconds(edge), "worker": sum(map(cpu_seconds, workers(edge)))}

    def told(self) -> dict[str, Any]:
        """The figures by name."""
        used = sum(self.cpu.values())
        share = {"edge_cpu_share": round(self.cpu["edge"] / used, 4) if used else None}
        return figures(self.measured) | share | {"seats": self.seats, "skipped": self.skipped}


async def _seats(port: int) -> int:
    """Generations that a bot admits at once, by its own numbers; 0 where it doesn't say."""
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/metrics", params={"format": "json"})
            return int(answer.json()["queues"][0]["limit"])
    except (httpx.HTTPError, ValueError, LookupError) as error:
        print(f"the bot's seats are unknown ({type(error).__name__})", file=sys.stderr)
        return 0


def tell(told: dict[str, Any], out: TextIO) -> None:
    """For people."""
    for system, cells in told["raw"].items():
        print(system, file=out)
        for cell, row in cells.items():
            rate, p50, p99 = (
                "-" if row[key] is None else f"{row[key]:,.2f}"
                for key in ("rps", "p50_ms", "p99_ms")
            )
            print(f"  {cell:10} {rate:>10} /s   p50 {p50:>8} ms   p99 {p99:>8} ms", file=out)
    for system, count in told["failed"].items():
        print(f"{system}: {count} answers were not good", file=out)


async def run(
    wanted: list[str], rounds: int, seconds: float, settle: float, logs: Path | None
) -> dict[str, Any]:
    """Start all, measure, end all."""
    loop = asyncio.get_running_loop()
    mine = asyncio.current_task()
    assert mine is not None
    loop.add_signal_handler(signal.SIGTERM, mine.cancel)  # as Ctrl-C does: nothing is left behind
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory(prefix="clawdbot-bench-") as name:
        bench = Bench((cores[0], cores[-1]), logs or Path(name))
        async with AsyncExitStack() as stack:
            await bench.start(stack, wanted)
            await bench.measure(rounds, seconds, settle)
    return bench.told() | {"rounds": rounds, "seconds": seconds, "cores": min(2, len(cores))}


def main() -> None:
    """Measure, and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.7, help="of each load in each round")
    parser.add_argument("--settle", type=float, default=6.0, help="before the first round")
    parser.add_argument(
        "--only", nargs="+", choices=systems.SYSTEMS, default=systems.USUAL, help="leave out others"
    )
    parser.add_argument("--logs", type=Path, help="an empty folder that keeps what they said")
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    asked = parser.parse_args()
    if not hasattr(os, "sched_setaffinity"):
        parser.error("it pins programs to cores, which needs Linux")
    if asked.rounds < 1 or asked.seconds <= 0 or asked.settle <= 0:
        parser.error("--rounds, --seconds and --settle must be more than 0")
    logs = asked.logs.resolve() if asked.logs is not None else None
    try:
        told = asyncio.run(run(list(asked.only), asked.rounds, asked.seconds, asked.settle, logs))
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None
    tell(told, sys.stderr if asked.json else sys.stdout)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
