"""The messages that are being worked on, so that whoever asked can have them stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ..backend import Priority
from .dispatch import Job


class _Work(msgspec.Struct, frozen=True, eq=False):
    job: Job
    task: asyncio.Task[Any]


class UnderWay:
    """Messages by update, from when their time begins until they have an answer."""

    def __init__(self) -> None:
        self._work: dict[int, _Work] = {}

    def begin(self, update: int, job: Job, task: asyncio.Task[Any]) -> None:
        """``task`` may be cancelled from now on, with ``job.dropped`` set."""
        self._work[update] = _Work(job, task)

    def end(self, update: int) -> None:
        """It may not be any more. Harmless twice."""
        self._work.pop(update, None)

    def count(self) -> int:
        """How many there are, beside those of the control lane."""
        return sum(
            each.job.origin.ask.priority is not Priority.CONTROL for each in self._work.values()
        )

    def stop(self, asker: str, *, but: int) -> int:
        """Cancel what ``asker`` (:attr:`~clawdcore.Message.asker`) has, ``but`` one update.

        How many it was. None of them gets an answer.
        """
        theirs = [
            each
            for update, each in self._work.items()
            if update != but and each.job.message.asker == asker and each.job.stoppable
        ]
        for each in theirs:
            each.job.dropped = True
            each.task.cancel()
        return len(theirs)
