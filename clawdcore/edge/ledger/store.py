"""The ledger: which updates we have, and how far each is, through any crash.

Ids, flags and times only; nothing that anybody wrote. One thread of its own does
the SQLite work. While the disk fails, memory goes on alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from ...broker import Outcome, Plan
from ...errors import ClawdBotError
from . import failures
from .batch import Batch, Found, Snapshot, Written, ending, plan_key, values
from .commits import STALL, Commits
from .disk import Disk
from .failures import LedgerNewer, LedgerTaken
from .rules import Row, Verdict
from .view import View

T = TypeVar("T")
RETRY: Final = 60.0
"""Seconds after which a disk that failed is tried again."""
SWEEP: Final = 600.0
"""Seconds between looks for ids to forget while nothing else is written."""


class Deletion(msgspec.Struct, frozen=True):
    """A message that must be deleted, at ``due`` seconds since the epoch."""

    chat: int
    message: int
    due: float


class Ledger:
    """One bot's ledger, for one process. ``path`` None keeps it in memory only.

    ``suspended`` is called with a line for the owner when promise 1 (nothing lost in
    silence, also through a kill) stops to hold, and with "" when it holds again.
    ``clock`` gives seconds since the epoch; ``factory`` makes SQLite's connections.

    Nothing but :meth:`open` raises for what the disk does.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        suspended: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self._disk = None if path is None else Disk(path, factory)
        self._tell = suspended
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._view = View()
        self._left: list[Row] = []
        self._commits = Commits(self._write, self._written, self._failed)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._reason = failures.NO_FILE
        self._keeps = False
        self._complete = False
        self._trying: asyncio.Future[Found] | None = None
        self._over = False

    @property
    def suspended(self) -> str:
        """Why promise 1 does not hold, "" while it does."""
        return self._reason

    @property
    def open_rows(self) -> int:
        """Updates that are not done."""
        return len(self._view)

    async def open(self) -> list[Row]:
        """Read what an earlier run left: its rows that are not done, oldest first.

        Raises:
            LedgerTaken: another process has the ledger.
            LedgerNewer: a later version wrote the file.
        """
        if self._disk is None:
            return []
        try:
            found = await self._run(partial(self._disk.open, self._clock()))
        except (LedgerTaken, LedgerNewer):
            await self._end_thread()
            raise
        except (sqlite3.Error, OSError) as error:
            self._failed(error, Batch())
            return []
        self._hold(found)
        return self.take_left()

    def take_left(self) -> list[Row]:
        """Rows of an earlier run that were found since the last call.

        Only of use after ``suspended("")``: the file could not be read at the start.
        """
        left, self._left = self._left, []
        return left

    async def receive(self, rows: Sequence[Row]) -> list[Verdict]:
        """Take updates that came; durable on return, or :attr:`suspended` says why not.

        One verdict a row, in order. A row with a verdict other than KNOWN belongs to
        the ledger from then on, which keeps its state. If cancelled, nothing was
        taken, and whoever brings the same ids next is told to work on them.
        """
        for row in rows:
            if self._view.receive(row) and self._keeps:
                self._commits.batch.received.append(values(row))
        await self._commits.durable()
        return [self._view.take(row.id) for row in rows]

    def confirm(self, ids: Iterable[int]) -> None:
        """Telegram no longer holds these; written with the next commit."""
        for id in ids:
            if self._view.confirm(id) and self._keeps:
                self._commits.batch.confirmed.append((id,))
        self._later()

    def start(self, id: int) -> None:
        """Work on it begins; an attempt counts. Written with the next commit."""
        if self._view.start(id) and self._keeps:
            self._commits.batch.started.append((id,))
            self._later()

    async def sending(self, id: int, floor: int) -> None:
        """Its answer is about to be sent; durable on return. ``floor`` as in :class:`Row`."""
        if self._view.sending(id, floor) and self._keeps:
            self._commits.batch.sending.append((floor, id))
        await self._commits.durable()

    def done(self, id: int, outcome: Outcome) -> None:
        """It is over; written with the next commit."""
        if self._view.done(id):
            self._note_end(ending(id, outcome, self._clock()))

    async def settle(self, id: int, outcome: Outcome) -> None:
        """As :meth:`done`, durable on return."""
        self.done(id, outcome)
        await self._commits.durable()

    async def flush(self) -> None:
        """Until everything said so far is durable, or the disk has failed."""
        await self._commits.durable()

    async def owe(self, chat: int, message: int, due: float) -> None:
        """A message must be deleted at ``due`` seconds since the epoch; durable on return."""
        self._view.deletions[chat, message] = due
        if self._keeps:
            self._commits.batch.deletions[chat, message] = due
        await self._commits.durable()

    def deletions(self) -> list[Deletion]:
        """What must still be deleted, the most urgent first."""
        owed = [Deletion(*key, due) for key, due in self._view.deletions.items()]
        return sorted(owed, key=lambda deletion: deletion.due)

    def paid(self, chat: int, message: int) -> None:
        """The message is deleted, or can't be any more; written with the next commit."""
        if self._view.deletions.pop((chat, message), None) is not None and self._keeps:
            self._commits.batch.deletions[chat, message] = None
            self._later()

    async def plan(self, plan: Plan) -> bool:
        """Keep a plan in place of one of the same names, cancel it if ``due`` is None; durable.

        False: it is not kept. The plugin has too many already, or its names or numbers
        are none that can be kept.
        """
        kept = self.advance(plan)
        await self._commits.durable()
        return kept

    def advance(self, plan: Plan) -> bool:
        """As :meth:`plan`, written with the next commit: it was called, and is due again."""
        if not self._view.plan(plan):
            return False
        if self._keeps:
            self._commits.batch.plans[plan_key(plan)] = plan
            self._later()
        return True

    async def cancel(self, plugin: str) -> int:
        """Cancel everything that a plugin has planned; how many it was."""
        plans = self._view.plans(plugin)
        for plan in plans:
            self.advance(msgspec.structs.replace(plan, due=None))
        await self._commits.durable()
        return len(plans)

    def plans(self) -> list[Plan]:
        """Every plan."""
        return self._view.plans()

    async def close(self) -> None:
        """Write what is left, also after a failure if that is possible by now, and end."""
        if self._over:
            return
        if self._trying is not None:
            await asyncio.wait({self._trying})
        if self._disk is not None and not self._keeps and not self._commits.stuck:
            await self._last_try(self._disk)
        await self._commits.durable()
        self._keeps = False
        self._commits.pause()
        for timer in self._timers.values():
            timer.cancel()
        await self._end_thread()

    async def _last_try(self, disk: Disk) -> None:
        job = self._run(partial(disk.rewrite, self._snapshot(), self._clock()))
        await asyncio.wait({job})
        if (error := job.exception()) is None:
            return
        # The owner was told when it began; for a mistake of ours this is the last chance.
        self._show(error)

    async def _end_thread(self) -> None:
        self._over = True
        if self._disk is not None:
            # A disk that gives no answer must not keep the bot from ending.
            await asyncio.wait({self._run(self._disk.close)}, timeout=STALL)
        self._thread.shutdown(wait=False)

    def _later(self) -> None:
        if self._keeps:
            self._commits.later()

    def _note_end(self, end: tuple[int, str, int]) -> None:
        if self._keeps:
            self._commits.batch.done.append(end)
            self._later()
        else:
            self._view.unwritten([end])

    def _hold(self, found: Found) -> None:
        """The file is there, and holds this beside what memory knows."""
        self._left += self._view.load(found)
        self._complete = self._keeps = True
        before, self._reason = self._reason, ""
        if found.aside:
            self._say(failures.put_aside(found.aside))
        if found.aside or before != failures.NO_FILE:
            self._say("")
        self._commits.resume()
        self._schedule("sweep", SWEEP, self._sweep)

    def _write(self, batch: Batch) -> asyncio.Future[Written]:
        assert self._disk is not None  # without one nothing is ever put into a batch
        return self._run(partial(self._disk.write, batch, self._clock()))

    def _written(self, written: Written) -> None:
        self._view.known(written.known)
        if written.more:
            self._commits.later()

    def _failed(self, error: BaseException, batch: Batch) -> None:
        """Go on in memory, and try again in a while."""
        self._show(error)
        self._keeps = False
        self._view.unwritten(batch.done)
        self._view.unwritten(self._commits.pause().done)
        reason = failures.suspension(error)
        if reason != self._reason:
            self._reason = reason
            self._say(reason)
        self._schedule("retry", RETRY, self._try_again)

    def _say(self, reason: str) -> None:
        # On its own, so that what goes wrong there can't keep callers waiting here.
        asyncio.get_running_loop().call_soon(self._tell, reason)

    def _show(self, error: BaseException) -> None:
        """Tell whoever looks after the loop of an error that is no disk's."""
        if not isinstance(error, sqlite3.Error | OSError | ClawdBotError):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the ledger failed", "exception": error}
            )

    def _snapshot(self) -> Snapshot:
        return self._view.snapshot(complete=self._complete)

    def _try_again(self) -> None:
        assert self._disk is not None  # only a disk fails
        if self._commits.stuck:
            self._schedule("retry", RETRY, self._try_again)
            return
        snapshot = self._snapshot()
        # What changes from now on is not in the snapshot, and goes into the first batch.
        self._keeps = True
        self._trying = self._run(partial(self._disk.rewrite, snapshot, self._clock()))
        self._trying.add_done_callback(partial(self._tried, snapshot))

    def _tried(self, snapshot: Snapshot, job: asyncio.Future[Found]) -> None:
        self._trying = None
        if job.cancelled():
            self._failed(asyncio.CancelledError(), Batch())
        elif (error := job.exception()) is not None:
            self._failed(error, Batch())
        else:
            self._view.written(snapshot.done)
            self._hold(job.result())

    def _sweep(self) -> None:
        self._commits.soon()
        self._schedule("sweep", SWEEP, self._sweep)

    def _schedule(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        if (earlier := self._timers.get(name)) is not None:
            earlier.cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, call)

    def _run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)
