"""The story of a message, from an update's bytes to the reply, on one page.

take    decode, wait for the rest of an album, ask the policy, find the route; in arrival order
work    in a task of its own: take a seat, wait for the session, call the plugin
answer  what the plugin gave becomes a reply, a notice or nothing, in its time
send    after what the same person asked before; then exactly one ``Done``

What goes on after its time, though cancelled, is left behind: the rest of the
story is then told without it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from ..admission.ladder import Rung
from ..broker import Bot, Closed, Deliver, Done, Outcome, Port, ToEdge, ToWorker
from ..errors import Overloaded
from ..messages import Message, Press
from ..privacy import describe
from . import notices
from .albums import Album, Albums
from .answering import Answering
from .budgets import Budgets
from .deadline import Deadline
from .dispatch import Dispatch, Job
from .endings import SILENT, Ending, broken_off
from .failures import Failures
from .guard import GRACE, Tasks
from .handing import Handing
from .origin import ORIGIN
from .plugins import Plugins
from .reading import Files, Readers
from .seats import Seats
from .telegram import Undecodable, decode
from .underway import UnderWay
from .waiting import Waiting

log = logging.getLogger(__name__)


class Pipeline:
    """Takes updates and sees each through to its outcome."""

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        *,
        bot: Bot,
        dispatch: Dispatch,
        plugins: Plugins,
        files: Files,
        readers: Readers,
        failures: Failures,
        seats: Seats,
        budgets: Budgets,
        waiting: Waiting,
        under_way: UnderWay,
        rung: Callable[[], Rung],
        total_timeout: float,
        media_timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._port = port
        self._bot = bot
        self._dispatch = dispatch
        self._files = files
        self._readers = readers
        self._failures = failures
        self._total = total_timeout
        self._media = media_timeout
        self._tasks = Tasks(lambda error: log.error("a message was lost: %s", describe(error)))
        self._under_way = under_way
        self._albums = Albums()
        self.waiting = waiting
        self._answering = Answering(
            port, failures=failures, seats=seats, budgets=budgets, rung=rung, clock=clock
        )
        self._handing = Handing(
            port, plugins=plugins, total_timeout=total_timeout, counted=self._counted
        )
        self.outcomes: dict[str, int] = {str(outcome): 0 for outcome in Outcome}
        self.skipped = 0

    async def take(self, update: Deliver) -> None:
        """Route one update; what takes time goes on in a task."""
        try:
            message = decode(
                update.body, self._bot, fetch=self._files.fetch, read=self._readers.read
            )
        except Undecodable as reason:
            self.skipped += 1
            log.warning("update %d skipped: %s (%d so far)", update.id, reason, self.skipped)
            await self._done(update.id, Outcome.SKIPPED)
            return
        if isinstance(message, Message) and message.album and not message.edited:
            album = self._albums.add(update.id, message)
            if album is not None:
                self._tasks.start(self._gather(album, message))
        else:
            await self._begin(update.id, message)

    async def _gather(self, album: Album, message: Message) -> None:
        await self._begin(*await self._albums.wait(album, message))

    async def _begin(
        self, update: int, message: Message | Press | None, also: tuple[int, ...] = ()
    ) -> None:
        job = None if message is None else self._dispatch.job(message)
        if job is None:
            for each in (update, *also):
                await self._done(each, Outcome.UNADDRESSED)
        else:
            job.also = also
            self._tasks.start(self._work(update, job))

    async def drained(self) -> None:
        """Until no message is under way; what was left behind doesn't count."""
        self._handing.hurry()
        await self._tasks.wait()
        await self.waiting.drained()

    async def stop(self) -> None:
        """Give up what is under way."""
        await self._tasks.stop()
        await self.waiting.stop()

    async def _work(self, update: int, job: Job) -> None:
        """See one message through; whatever happens, its update gets its outcome."""
        try:
            try:
                reply, outcome = await self._timed(update, job)
            finally:
                job.leave_sessions()
                await self.waiting.end(update)
            if not job.addressed and outcome is Outcome.NOTICED and not job.written():
                reply, outcome, job.refused = None, Outcome.UNADDRESSED, None  # nobody had asked
            if not job.left:
                await self._handing.finish(update, job, reply, outcome)
        except Closed:
            log.debug("update %d: the edge is gone", update)
        finally:
            if not job.left:
                job.turn.leave()

    def _counted(self, outcome: Outcome) -> None:
        self.outcomes[outcome] += 1

    async def _done(self, update: int, outcome: Outcome) -> None:
        self._counted(outcome)
        try:
            await self._port.send(Done(update, outcome))
        except Closed:
            log.debug("update %d: the edge is gone", update)

    async def _timed(self, update: int, job: Job) -> Ending:
        """What to answer, found within the message's time."""
        language = job.message.sender.language
        task: Any = asyncio.current_task()
        # Not asyncio.timeout: this one also leaves behind what ignores being cancelled.
        job.origin.time = time = Deadline(
            self._total,
            self._media,
            expired=partial(self._expire, update, job, task),
            moved=job.origin.ends,
        )
        ORIGIN.set(job.origin)
        self.waiting.begin(update, job, task)
        self._under_way.begin(update, job, task)
        try:
            async with job.seat:
                ending = await self._answering.answer(update, job)
            # What ignores being cancelled has an answer that nobody wants any more.
            return SILENT if job.dropped else ending
        except asyncio.CancelledError as error:
            if task.cancelling() > 1 or not (job.expired or job.dropped):
                raise  # it was somebody else who asked for that
            if job.dropped:
                return SILENT
            if job.blamed:
                self._failures.count(job.blamed, error)
            return broken_off(job, notices.too_late(language))
        except Closed:
            raise
        except Overloaded as error:
            job.refused = error
            return SILENT
        except Exception as error:  # noqa: BLE001 - one message must not end the worker
            log.error("update %d failed: %s", update, describe(error))
            return broken_off(job, notices.failed(language))
        finally:
            self._under_way.end(update)
            time.cancel()
            if job.timer is not None:
                job.timer.cancel()
            if job.expired or job.dropped:
                task.uncancel()

    def _expire(self, update: int, job: Job, task: asyncio.Task[None]) -> None:
        """The message's time is over. A plugin that waits for a model isn't to blame."""
        job.expired = True
        job.blamed = "" if job.seat.waiting else job.plugin
        task.cancel()
        job.timer = task.get_loop().call_later(GRACE, self._leave_behind, update, job, task)

    def _leave_behind(self, update: int, job: Job, task: asyncio.Task[None]) -> None:
        """The plugin ignores being cancelled: go on without it."""
        job.left = True
        self._under_way.end(update)
        log.error("update %d: plugin %s ignores being cancelled", update, job.plugin)
        job.seat.give_up()
        job.leave_sessions()
        ending = broken_off(job, notices.too_late(job.message.sender.language))
        if job.plugin:
            self._failures.count(job.plugin, TimeoutError())
        self._tasks.start(self._go_on(update, job, ending))
        self._tasks.leave_behind(task)

    async def _go_on(self, update: int, job: Job, ending: Ending) -> None:
        try:
            await self._handing.finish(update, job, *ending)
        except Closed:
            log.debug("update %d: the edge is gone", update)
        finally:
            job.turn.leave()
