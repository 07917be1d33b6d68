"""What is done to the bot while people write: kills, signals, reloads, bad plugins."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from . import processes
from .program import LOOK, Failed, Program
from .server import CountingServer
from .town import Town

Look = Callable[[], Awaitable[None]]
"""Searches the disk, as it is now."""
EARLY: Final = 0.1
"""Share of kills that may come before the killed has begun to work."""
WORKS_AFTER: Final = 90.0
"""Seconds in which a new worker must answer somebody: the edge waits longer and longer
(up to 30 s) between starts that fail, as those do that are killed."""


@dataclass(slots=True)
class Disturbance:
    """How often, and what came of it. ``gap`` is the mean of seconds between two kills."""

    kills: int
    gap: float
    done: int = 0
    in_flight: int = 0
    """Sends under way at the kills, all together."""
    reloads: int = 0
    restarts: int = 0
    orphans: int = 0
    """Workers that outlived their edge."""
    pauses: list[float] = field(default_factory=list)
    """Seconds until another worker process was there."""


@dataclass(slots=True)
class Scene:
    """All that a disturber may touch."""

    program: Program
    server: CountingServer
    town: Town
    random: random.Random
    disturbance: Disturbance
    look: Look

    async def wait(self) -> None:
        """A random moment: mostly about the gap, sometimes at once, sometimes long."""
        await asyncio.sleep(self.random.expovariate(1 / self.disturbance.gap))

    async def until_it_works(self) -> None:
        """Until somebody is answered from now on.

        Raises:
            Failed: nobody is.
        """
        after = self.server.sent[-1].n if self.server.sent else 0
        try:
            await self.server.wait(lambda: self._answers(after), WORKS_AFTER)
        except TimeoutError:
            words = self.program.last_words()
            raise Failed(f"nobody was answered in {WORKS_AFTER:g} s: {words}") from None

    def _answers(self, after: int) -> bool:
        return bool(self.server.sent) and self.server.sent[-1].n > after


async def kill_workers(scene: Scene) -> None:
    """``kill -9`` of the worker, at random moments."""
    so_far = scene.disturbance
    loop = asyncio.get_running_loop()
    while so_far.done < so_far.kills:
        worker = await scene.program.another_worker(None)
        if scene.random.random() >= EARLY:
            await scene.until_it_works()
        await scene.wait()
        in_flight = scene.server.in_flight
        killed = scene.program.kill_worker()
        if killed is None:
            continue
        so_far.done += 1
        so_far.in_flight += in_flight
        at = loop.time()
        await scene.look()
        await scene.program.another_worker(worker)
        so_far.pauses.append(loop.time() - at)


async def kill_both(scene: Scene) -> None:
    """``kill -9`` of edge and worker, and a start; now and then while it still starts."""
    so_far = scene.disturbance
    while so_far.done < so_far.kills:
        await scene.wait()
        so_far.in_flight += scene.server.in_flight
        gone = await scene.program.kill_all(at_once=scene.random.random() < 0.5)
        so_far.orphans += not gone
        so_far.done += 1
        await scene.look()
        early = so_far.done < so_far.kills and scene.random.random() < 0.15
        await scene.program.start(wait=not early)
        so_far.restarts += 1


async def stop_and_reload(scene: Scene) -> None:
    """SIGTERM and a start, or SIGHUP, in turn."""
    so_far = scene.disturbance
    while so_far.done < so_far.kills:
        await scene.wait()
        if so_far.done % 2:
            status = await scene.program.stop()
            if status != 0:
                raise Failed(f"SIGTERM ended it with status {status}: {scene.program.last_words()}")
            await scene.program.start()
            so_far.restarts += 1
        else:
            await reload(scene)
            so_far.reloads += 1
        so_far.done += 1


async def reload(scene: Scene) -> None:
    """SIGHUP, until another worker has taken over and the old one is gone."""
    old = await scene.program.another_worker(None)
    scene.program.signal(signal.SIGHUP)
    at = asyncio.get_running_loop().time()
    await scene.program.another_worker(old)
    scene.disturbance.pauses.append(asyncio.get_running_loop().time() - at)
    if not await processes.until_gone(old, 100.0):
        raise Failed(f"after a reload the old worker did not end: {scene.program.last_words()}")


CULPRITS: Final = ("/crash", "/block")
NOTICED: Final = 15.0
"""Seconds in which a worker that was brought down or to a halt must be replaced."""


async def run_culprits(scene: Scene) -> None:
    """Messages that bring the worker down, or to a halt, one after another."""
    so_far = scene.disturbance
    for number in range(so_far.kills):
        await scene.wait()
        person = scene.random.choice(scene.town.people)
        command = CULPRITS[number % len(CULPRITS)]
        scene.town.say(person, command, culprit=True)
        before = len(scene.program.seen)
        ends = asyncio.get_running_loop().time() + NOTICED
        # Once its plugin rests, a message can do no harm any more.
        while len(scene.program.seen) == before and asyncio.get_running_loop().time() < ends:
            scene.program.worker()
            await asyncio.sleep(LOOK)
        so_far.done += 1
        await scene.look()


async def nothing(scene: Scene) -> None:
    """Leave the bot alone for as long as kills would take."""
    await asyncio.sleep(scene.disturbance.kills * scene.disturbance.gap)
    scene.disturbance.done = scene.disturbance.kills
