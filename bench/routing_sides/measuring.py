"""Measure every scene of one side in this process, a slice at a time."""

from __future__ import annotations

import gc
import importlib
import random
import time
from collections.abc import Sequence
from typing import Final

from .traffic import BATCH, Calls, Scene, Side, answers

SLICE: Final = 2
"""Answers of getUpdates (200 updates) that a scene gets before another has its turn."""
WARM_UP: Final = 0.2
"""The part of the updates that is done before anything is measured."""


class _Run:
    """One scene, set up, with all its updates at hand."""

    def __init__(self, side: str, scene: Scene, updates: int) -> None:
        # A whole number of turns over all functions, so that the calls stay evenly spread.
        turn = len(scene.answering)
        warm = max(1, round(updates * WARM_UP / turn)) * turn
        self.scene = scene
        self.updates = updates
        self.warm_up = answers(scene, warm)
        work = answers(scene, updates, first=warm)
        self.slices = [work[at : at + SLICE] for at in range(0, len(work), SLICE)]
        self.processor = self.wall = 0.0
        self._sent = warm + updates
        self._calls = Calls(scene.size)
        self.side: Side = importlib.import_module(f".{side}", __package__).Side(scene, self._calls)

    async def measure(self, number: int) -> None:
        """Do one slice."""
        processor, wall = time.process_time(), time.perf_counter()
        await self.side.run(self.slices[number])
        self.processor += time.process_time() - processor
        self.wall += time.perf_counter() - wall

    async def close(self) -> None:
        """Stop. Raises :class:`AssertionError` unless every update reached its function."""
        await self.side.close()
        self._calls.check(self.scene, self._sent)


async def measure(
    side: str, scenes: Sequence[Scene], updates: int
) -> dict[str, tuple[float, float]]:
    """By scene: updates per second, and the part of a core that we had (0 to 1).

    ``updates`` is for each scene. Seconds are the processor's.
    """
    runs = [_Run(side, scene, updates) for scene in scenes]
    for run in runs:
        await run.side.open()
        await run.side.run(run.warm_up)
    gc.collect()
    for number in range(-(-updates // (SLICE * BATCH))):
        # In random order: a scene leaves its heap and the processor's caches to the next.
        for run in random.sample(runs, len(runs)):
            await run.measure(number)
    for run in runs:
        await run.close()
    return {run.scene.name: (updates / run.processor, run.processor / run.wall) for run in runs}
