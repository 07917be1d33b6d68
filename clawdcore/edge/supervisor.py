"""Keep a worker process alive: replace one that dies or stalls, and swap it on request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec

from ..broker import Closed, Ready, Stop
from ..errors import WorkerFailed
from .child import Child
from .work import Death
from .workers import Attending, Link

log = logging.getLogger(__name__)

STALL: Final = 2.0
"""Seconds without a sign of life after which a worker's event loop counts as stalled."""
LOOK: Final = 0.25
"""Seconds between two looks at a worker."""
WEIGH: Final = 5.0
"""Seconds between two looks at its memory."""
START_LIMIT: Final = 120.0
"""Seconds in which a worker that takes over must be ready; the first one may fetch a model."""
SWAP_LIMIT: Final = 90.0
"""Seconds in which a worker that hands over must be done with what it has."""
END_LIMIT: Final = 15.0
"""Seconds in which a worker that was asked to must end: plugins' ``shutdown`` runs."""
LAST_WORDS: Final = 0.1
"""Seconds in which a stalled worker may say where it stands."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries to start a worker."""
HEALTHY: Final = 60.0
"""Seconds of life after which a worker's end is no sign that the next will end too."""
AT_ONCE: Final = 5
"""Ends in a row, each by itself and before it was healthy, that are replaced at once.

A message that ends workers needs three to be found out.
"""
SWAP_PAUSE: Final = 300.0
"""Seconds between two swaps for memory."""
TOO_MUCH: Final = 1.5
"""Times the memory limit at which a worker is ended and not swapped."""


class Swapped(msgspec.Struct, frozen=True):
    """What became of a swap: ``failure`` is "" or why the old worker stays."""

    failure: str = ""


class _Running:
    """A worker that is attended."""

    def __init__(self, child: Child, link: Link, attending: asyncio.Task[None]) -> None:
        self.child = child
        self.link = link
        self.attending = attending
        self.since = asyncio.get_running_loop().time()


class Supervisor:
    """Implements :class:`~.workers.Workers` with processes.

    ``spawn`` starts one; ``ready`` is told what each said when it was. ``memory``
    is the limit in bytes, 0 for none; ``stall`` is in seconds.
    """

    def __init__(
        self,
        spawn: Callable[[], Awaitable[Child]],
        *,
        ready: Callable[[Ready], None],
        memory: int = 0,
        stall: float = STALL,
    ) -> None:
        self._spawn = spawn
        self._ready = ready
        self._memory = memory
        self._stall = stall
        self._present: _Running | None = None
        self._starting: Child | None = None
        self._children: set[Child] = set()
        self._requests: list[asyncio.Future[Swapped]] = []
        self._asked = asyncio.Event()
        self._stopping = False
        self._swapped_at = float("-inf")
        self._failures = 0
        self._early = 0

    @property
    def disabled(self) -> frozenset[str]:
        """The plugins that the present worker has left out."""
        present = self._present
        return frozenset() if present is None else frozenset(present.link.ready.disabled)

    async def run(self, edge: Attending) -> None:
        """As :meth:`~.workers.Workers.run`.

        Raises:
            WorkerFailed: the first worker can't be started.
        """
        failure: WorkerFailed | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    self._present = await self._begin(edge, tasks, limit=None)
                except WorkerFailed as error:
                    failure = error
                else:
                    watching = tasks.create_task(self._watch(edge))
                    while not self._stopping:
                        await self._next(edge, tasks, self._present)
                    watching.cancel()
                    await self._end(self._present)
        finally:
            for child in self._children:
                child.kill(Death.KILLED)
            self._answer(Swapped("the bot stops"))
        if failure is not None and not self._stopping:
            raise failure

    async def swap(self) -> Swapped:
        """Replace the worker by a new one, without losing anything."""
        if self._stopping:
            return Swapped("the bot stops")
        future: asyncio.Future[Swapped] = asyncio.get_running_loop().create_future()
        self._requests.append(future)
        self._asked.set()
        return await future

    async def stop(self) -> None:
        """As :meth:`~.workers.Workers.stop`; :meth:`run` returns once they have ended."""
        self._stopping = True
        self._asked.set()
        if self._starting is not None:
            self._starting.kill(Death.KILLED)

    async def _next(self, edge: Attending, tasks: asyncio.TaskGroup, present: _Running) -> None:
        """Until something happens to the worker, and the answer to it."""
        asked = asyncio.ensure_future(self._asked.wait())
        try:
            await asyncio.wait({asked, present.child.ended}, return_when="FIRST_COMPLETED")
        finally:
            asked.cancel()
        if self._stopping:
            return
        if present.child.ended.done():
            await self._replace(edge, tasks, present)
            return
        self._asked.clear()
        if self._requests:  # not one for memory alone
            edge.pardon()
        self._answer(await self._swap(edge, tasks, present))

    def _answer(self, result: Swapped) -> None:
        requests, self._requests = self._requests, []
        for future in requests:
            if not future.done():
                future.set_result(result)

    # ---- begin and end ----

    async def _begin(
        self, edge: Attending, tasks: asyncio.TaskGroup, *, limit: float | None
    ) -> _Running:
        """Start a worker and attend it.

        Raises:
            WorkerFailed: it is not ready within ``limit`` seconds, or can't be at all.
        """
        try:
            child = self._starting = await self._spawn()
        except OSError as error:
            raise WorkerFailed(f"no process can be started ({error.strerror}).") from None
        self._children.add(child)
        child.ended.add_done_callback(lambda _: self._children.discard(child))
        if self._stopping:
            child.kill(Death.KILLED)
        try:
            async with asyncio.timeout(limit):
                link = await edge.greet(child.port)
        except (Closed, TimeoutError) as error:
            child.kill(Death.KILLED)
            await child.ended
            child.port.close()
            why = "ended while it started" if isinstance(error, Closed) else "was not ready in time"
            raise WorkerFailed(f"the worker {why}.", fix="See the log above.") from None
        finally:
            self._starting = None
        if link.ready.failure:
            child.port.close()
            await self._ended(child)
            raise WorkerFailed(link.ready.failure)
        self._failures = 0
        self._ready(link.ready)
        return _Running(child, link, tasks.create_task(edge.attend(link)))

    async def _end(self, running: _Running, limit: float = END_LIMIT) -> None:
        """Have a worker finish and end; what it doesn't finish goes to the next."""
        with suppress(Closed, TimeoutError):
            async with asyncio.timeout(1.0):
                await running.link.port.send(Stop())
        await self._ended(running.child, limit)
        running.child.port.close()
        await asyncio.wait({running.attending})

    async def _ended(self, child: Child, limit: float = END_LIMIT) -> None:
        done, _ = await asyncio.wait({child.ended}, timeout=limit)
        if not done:
            log.warning("a worker did not end by itself")
            child.kill(Death.KILLED)
            await asyncio.wait({child.ended})

    # ---- replace and swap ----

    async def _replace(self, edge: Attending, tasks: asyncio.TaskGroup, gone: _Running) -> None:
        """A worker has ended by itself: give what it had to a new one."""
        await asyncio.wait({gone.attending})
        gone.child.port.close()
        how = gone.child.how()
        edge.lost(gone.link, how, gone.child.culprit(gone.link.ready.homes))
        edge.tell("replaced", how.value)
        if asyncio.get_running_loop().time() - gone.since > HEALTHY:
            self._early = 0
        elif how is not Death.KILLED:
            self._early += 1
        if self._early > AT_ONCE:
            await self._wait("workers end soon after their start", self._early - AT_ONCE - 1)
        while not self._stopping:
            try:
                self._present = await self._begin(edge, tasks, limit=START_LIMIT)
            except WorkerFailed as error:
                await self._pause(error)
            else:
                return

    async def _pause(self, error: WorkerFailed) -> None:
        await self._wait(str(error), self._failures)
        self._failures += 1

    async def _wait(self, why: str, before: int) -> None:
        """Wait before the next try; somebody who asks for a swap asks for it now."""
        if self._stopping:
            return
        wait = min(0.5 * 2.0 ** min(before, 16), LONGEST_PAUSE)
        log.error("no new worker yet (%s); next try in %g s", why, wait)
        self._asked.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._asked.wait()
        if self._requests:
            self._asked.set()

    async def _swap(self, edge: Attending, tasks: asyncio.TaskGroup, old: _Running) -> Swapped:
        if old.link.ready.exclusive:
            return await self._swap_exclusive(edge, tasks, old)
        try:
            new = await self._begin(edge, tasks, limit=START_LIMIT)
        except WorkerFailed as error:
            log.error("the worker is not swapped: %s", error)
            return Swapped(str(error))
        self._present = new
        handing = tasks.create_task(self._hand_over(edge, old))
        # A new one that dies at once must be replaced while the old one still finishes.
        await asyncio.wait({handing, new.child.ended}, return_when="FIRST_COMPLETED")
        return Swapped()

    async def _swap_exclusive(
        self, edge: Attending, tasks: asyncio.TaskGroup, old: _Running
    ) -> Swapped:
        """The old one must end before the new one begins; messages wait meanwhile."""
        edge.pause()
        await self._hand_over(edge, old)
        failure = "the bot stops"
        while not self._stopping:
            try:
                self._present = await self._begin(edge, tasks, limit=START_LIMIT)
            except WorkerFailed as error:
                failure = str(error)
                await self._pause(error)
            else:
                return Swapped()
        return Swapped(failure)

    async def _hand_over(self, edge: Attending, old: _Running) -> None:
        """See a worker that gets nothing new to its end."""
        drained = asyncio.ensure_future(edge.drained(old.link))
        await asyncio.wait(
            {drained, old.child.ended}, timeout=SWAP_LIMIT, return_when="FIRST_COMPLETED"
        )
        # One that has answered all its messages may still have calls of the gateway.
        limit = SWAP_LIMIT if drained.done() else END_LIMIT
        drained.cancel()
        how = old.child.how() if old.child.ended.done() else Death.KILLED
        await self._end(old, limit)
        edge.lost(old.link, how)

    # ---- look after it ----

    async def _watch(self, edge: Attending) -> None:
        """End a worker whose loop stands still, and swap one that takes too much memory."""
        loop = asyncio.get_running_loop()
        looked = weighed = loop.time()
        while True:
            await asyncio.sleep(LOOK)
            now = loop.time()
            late, looked = now - looked > 2 * LOOK, now
            running = self._present
            if running is None or running.child.ended.done() or self._stopping:
                continue
            if late:
                # We stood still ourselves: its signs of life wait to be read.
                running.link.beat = max(running.link.beat, now - self._stall / 2)
            elif now - running.link.beat > self._stall:
                await self._kill_stalled(running.child)
            elif self._memory and now - weighed > WEIGH:
                weighed = now
                self._weigh(edge, running.child, now)

    async def _kill_stalled(self, child: Child) -> None:
        log.error("the worker has stalled and is replaced")
        child.say_where()
        await asyncio.sleep(LAST_WORDS)
        child.kill(Death.STALLED)

    def _weigh(self, edge: Attending, child: Child, now: float) -> None:
        used = child.resident()
        if used > TOO_MUCH * self._memory:
            log.error("the worker uses %d MB and is ended", used // 2**20)
            edge.tell("memory", str(used // 2**20))
            child.kill(Death.KILLED)
        elif used > self._memory and now - self._swapped_at > SWAP_PAUSE:
            log.warning("the worker uses %d MB and is swapped", used // 2**20)
            edge.tell("memory", str(used // 2**20))
            self._swapped_at = now
            self._asked.set()
