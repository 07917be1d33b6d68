"""One run: a bot, a town that writes, somebody who disturbs, and the books at the end."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from clawdcore.testing.botapi import Limits

from .books import Balance, Books, as_figures
from .canaries import Canaries, Search
from .disturbers import (
    Disturbance,
    Scene,
    kill_both,
    kill_workers,
    nothing,
    run_culprits,
    stop_and_reload,
)
from .processes import open_files
from .program import Failed, Program
from .server import CountingServer
from .site import FAST, TOKEN, Site
from .town import Town

Disturber = Callable[[Scene], Awaitable[None]]
DISTURBERS: Final[dict[str, Disturber]] = {
    "calm": nothing,
    "worker": kill_workers,
    "both": kill_both,
    "stops": stop_and_reload,
    "culprit": run_culprits,
    "limits": kill_workers,
}
CALMER: Final = 2.0
"""Messages a second under Telegram's limits; a group may get 20 a minute."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. ``kills`` counts what the disturber does; ``rate`` is messages a second.

    ``gap`` is the mean of seconds between kills; ``settle`` how many seconds the bot
    has to answer what is open once nobody writes any more. ``slow`` is the share of
    sends whose answer takes 30 ms, so that kills find some under way,
    ``doubled`` the share of updates that come twice.
    """

    scenario: str
    kills: int
    webhook: bool = False
    rate: float = 40.0
    messages: int = 0
    gap: float = 1.0
    settle: float = 120.0
    seed: int = 1
    slow: float = 0.1
    doubled: float = 0.02
    options: Sequence[str] = ()

    @property
    def name(self) -> str:
        """``worker, polling``"""
        return f"{self.scenario}, {'webhook' if self.webhook else 'polling'}"


@dataclass(slots=True)
class Result:
    """What came out; ``failures`` is empty where all that was promised held."""

    plan: Plan
    figures: dict[str, Any]
    failures: list[str] = field(default_factory=list)


async def run(plan: Plan, folder: Path | None = None) -> Result:
    """Run a plan in ``folder``, or in one that is removed after it if all was well."""
    made = folder is None
    folder = folder or Path(tempfile.mkdtemp(prefix="clawdbot-chaos-"))
    paced = plan.scenario == "limits"
    limits = Limits.telegram() if paced else None
    async with CountingServer(TOKEN, limits=limits, seed=plan.seed) as server:
        site = Site(folder, server.root, webhook=plan.webhook, pace=None if paced else dict(FAST))
        program = Program(site, *plan.options)
        try:
            result = await _Run(plan, server, site, program).play()
        finally:
            await program.close()
    if made and not result.failures:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    elif made:
        result.failures.append(f"logs and state are kept in {folder}")
    return result


class _Run:
    def __init__(self, plan: Plan, server: CountingServer, site: Site, program: Program) -> None:
        self._plan = plan
        self._server = server
        self._program = program
        self._books = Books()
        self._canaries = Canaries()
        self._search = Search(self._canaries, time.time(), [site.folder])
        paced = plan.scenario == "limits"
        self._town = Town(
            server, self._books, self._canaries, seed=plan.seed, people=40,
            groups=2 if paced else 6, in_groups=0.3 if paced else 0.5,
            doubled=plan.doubled,
        )  # fmt: skip
        self._scene = Scene(
            program, server, self._town, random.Random(plan.seed + 1),
            Disturbance(plan.kills, plan.gap), self._look,
        )  # fmt: skip

    async def play(self) -> Result:
        """The whole story."""
        failures: list[str] = []
        resting = 0
        writing = 0.0
        if self._plan.slow:
            for method in ("sendMessage", "editMessageText"):
                self._server.fail(
                    "slow", method, times=None, probability=self._plan.slow, seconds=0.03
                )
        try:
            await self._program.start()
            writing = await self._flood()
            await self._settled()
            if self._plan.scenario == "culprit":
                resting = await self._after_culprits()
            await self._program.stop()
        except Failed as failure:
            failures.append(str(failure))
        except TimeoutError:
            failures.append(
                f"{self._books.open} messages had no outcome {self._plan.settle:g} s after the "
                f"last one was written"
            )
            await self._program.close()
        self._books.read(self._server.records(self._books.last))
        await asyncio.to_thread(self._search.everywhere)
        balance = self._books.balance()
        failures += self._judge(balance, resting)
        return Result(self._plan, self._figures(balance, writing), failures)

    async def _flood(self) -> float:
        """People write for as long as the bot is disturbed."""
        disturb = DISTURBERS[self._plan.scenario](self._scene)
        disturbing = asyncio.ensure_future(disturb)

        def done() -> bool:
            return disturbing.done() and len(self._books.asked) >= self._plan.messages

        try:
            rate = CALMER if self._plan.scenario == "limits" else self._plan.rate
            took = await self._town.write(rate, done)
        finally:
            disturbing.cancel()
            await asyncio.wait({disturbing})
        if not disturbing.cancelled():
            disturbing.result()
        return took

    async def _settled(self) -> None:
        def none_open() -> bool:
            self._books.read(self._server.records(self._books.last))
            return self._books.open == 0

        await self._server.wait(none_open, self._plan.settle)

    async def _after_culprits(self) -> int:
        """The culprits rest, by all their commands; the others work."""
        commands = ("/calm", "/idle")[: self._plan.kills]
        for person, command in zip(self._town.people, commands, strict=False):
            self._town.say(person, command, culprit=True)
        self._town.say(self._town.people[-1], "/echo")
        await self._settled()
        return len(commands)

    async def _look(self) -> None:
        """Search what lies on a disk at this moment, and what is open."""
        handles = [h for pid in self._program.pids() for h in open_files(pid)]
        await asyncio.to_thread(self._search.handles, handles)
        await asyncio.to_thread(self._search.everywhere, disk_only=True)

    def _judge(self, balance: Balance, resting: int) -> list[str]:
        """What was promised and did not hold."""
        scenario = self._plan.scenario
        disturbance = self._scene.disturbance
        failures = [f"canary: {hit}" for hit in sorted(self._search.hits)]
        failures += [f"the bot broke a rule: {rule}" for rule in set(self._server.violations)]
        failures += [f"the test server failed: {crash}" for crash in self._server.crashes]
        none = {
            "messages were lost": len(balance.lost),
            "answers reached somebody else": balance.misdirected,
            "messages that were not for the bot got an answer": balance.uninvited,
            "answers overtook an earlier one to the same asker": balance.disordered,
            "workers outlived their edge": disturbance.orphans,
            "messages of the bot are for nobody": balance.unexplained,
            "culprits were answered": balance.culprits_answered,
            "clean stops had another status than 0": sum(map(bool, self._program.statuses)),
        }
        if scenario != "both":
            none["answers were left half written"] = balance.torn + balance.torn_lost
            none["messages were answered and noticed"] = len(balance.both)
            none["notices went to people who did nothing bad"] = sum(
                balance.innocents_noticed.values()
            )
        if scenario == "limits":
            none["sends were refused with 429"] = sum(self._server.refused.values())
        failures += [f"{count} {what}" for what, count in none.items() if count]
        if scenario in ("stops", "calm") and balance.duplicates:
            failures.append(f"{balance.duplicates} messages were answered twice")
        elif balance.duplicates > disturbance.in_flight:
            failures.append(
                f"{balance.duplicates} messages were answered twice, "
                f"{disturbance.in_flight} sends were in flight at the kills"
            )
        if balance.injected != balance.answered + balance.noticed + balance.unaddressed:
            failures.append("injected is not answered + noticed + not addressed")
        if disturbance.done < disturbance.kills:
            failures.append(f"only {disturbance.done} of {disturbance.kills} disturbances happened")
        if balance.notices["resting"] < resting:
            failures.append("a culprit's other command did not say that it rests")
        if scenario == "culprit" and balance.notices["poison"] < resting:
            failures.append("a message that brought the worker down twice was not given up")
        return failures

    def _figures(self, balance: Balance, writing: float) -> dict[str, Any]:
        disturbance = self._scene.disturbance
        pauses = disturbance.pauses
        return as_figures(balance) | {
            "lost_kinds": self._books.kinds(balance.lost),
            "disturbed": disturbance.done,
            "in_flight_at_kills": disturbance.in_flight,
            "reloads": disturbance.reloads,
            "restarts": disturbance.restarts,
            "workers_seen": len(self._program.seen),
            "orphans": disturbance.orphans,
            "new_worker_after_s": round(median(pauses), 2) if pauses else None,
            "writing_s": round(writing, 1),
            "calls_refused": sum(self._server.refused.values()),
            "violations": len(self._server.violations),
            "server_crashes": len(self._server.crashes),
            "canaries_found": len(self._search.hits),
            "files_searched": self._search.files,
            "files_unreadable": self._search.unreadable,
        }
