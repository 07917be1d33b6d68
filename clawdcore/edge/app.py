"""The edge: updates in, replies out; the updates of a worker that dies go to the next one.

Who keeps workers alive is another's business (:class:`~.workers.Workers`), and
what is open stands on the :class:`~.desk.Desk`: here the two come together.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from ..access import Policy
from ..broker import (
    AnswerPress,
    AskMember,
    Beat,
    Bot,
    Called,
    Closed,
    Commands,
    DeleteLater,
    DeleteMessage,
    Deliver,
    Delivered,
    Done,
    Draft,
    Drain,
    EditMessage,
    Fetch,
    Hello,
    Outcome,
    Plan,
    Port,
    Ready,
    Remember,
    Remembered,
    Rests,
    Send,
    Started,
    Tell,
    ToEdge,
    ToWorker,
)
from ..config import TelegramConfig
from ..hooks.quarantine import Quarantine
from ..messages import Receipt
from . import words
from .api import Api, CallError
from .asking import Asking
from .books import Books
from .desk import Desk
from .heads import Heads
from .intake import Broken, Update
from .ledger import Ledger, Row
from .planned import Planned
from .receiving import Receiver
from .reception import Reception
from .remembered import Memory
from .room import Room
from .work import POISON, Death
from .workers import Link, Workers

log = logging.getLogger(__name__)

DRAIN_LIMIT: Final = 60.0
"""Seconds to settle what was accepted before :meth:`Edge.run` returns all the same.

Whoever stops the process must allow more: systemd waits 90 s (TimeoutStopSec),
but ``docker stop`` 10 s unless told otherwise (stop_grace_period).
"""
FIRST_REST: Final = 600.0
LONGEST_REST: Final = 21_600.0
"""Seconds that a plugin rests which brings workers down: each time all others must wait."""
FORGIVEN: Final = 3600.0
"""Seconds without another crash of a plugin after which the earlier ones count no more."""
UNTOLD: Final = 20
"""Things to tell the owner that wait for a worker."""


class Edge:
    """One bot's connection to Telegram.

    ``ledger`` is its ledger's file, None to keep the books in memory only.
    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        config: TelegramConfig,
        workers: Workers,
        api: Api,
        *,
        ledger: Path | None = None,
        room: Room | None = None,
        drain_limit: float = DRAIN_LIMIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._workers = workers
        self._api = api
        self._drain_limit = drain_limit
        self._clock = clock
        self._ledger = Ledger(ledger, suspended=self._suspended, clock=clock)
        self._desk = Desk(
            config, api, self._ledger, room or Room(), delivered=self._delivered, clock=clock
        )
        self._asking = Asking(api, owe=self._ledger.owe, delete=self._desk.delete)
        self._planned = Planned(self._ledger, call=self._to_worker, clock=clock)
        self.memory = Memory()
        self._quarantine = _quarantine()
        self._blamed: dict[str, float] = {}
        self._greeted = 0
        self._current: Link | None = None
        self._untold: deque[Tell] = deque(maxlen=UNTOLD)
        self._menu: dict[str, Commands] = {}
        self._stopping = asyncio.Event()
        self._attached = asyncio.Event()
        self._bot: Bot | None = None
        self._reception: Reception | None = None
        self.listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def books(self) -> Books:
        """What came in, and what became of it."""
        return self._desk.books

    # ---- its life ----

    async def run(self, bot: Bot) -> None:
        """Serve until :meth:`stop`; then what was accepted is settled within the drain limit.

        Raises:
            clawdcore.errors.ChannelError: Telegram can't be used at all; what was
                accepted before is settled first.
            clawdcore.errors.LedgerTaken: another process keeps the same books.
        """
        self._bot = bot
        rows = await self._ledger.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._desk.tasks = tasks
                failure = await self._serve(self._open(bot, rows), tasks)
            if failure is not None:
                raise failure
        finally:
            self.listening.cancel()
            await self._ledger.close()

    def _open(self, bot: Bot, rows: list[Row]) -> Receiver:
        self._desk.delivery.reads_all = bot.reads_all_groups
        self._reception = Reception(
            heads=Heads(bot, Policy(self._config), owner=self._config.owner or 0),
            ledger=self._ledger,
            work=self._desk.work,
            room=self._desk.room,
            books=self._desk.books,
            taken=self._desk.taken,
            clock=self._clock,
        )
        return Receiver(
            self._config,
            self._api,
            accept=self._reception.take,
            confirmed=self._ledger.confirm,
            recovery=self._desk.left_over(rows),
            listens=self._listens,
            tell=self.tell,
        )

    async def _serve(self, receiver: Receiver, tasks: asyncio.TaskGroup) -> Exception | None:
        """All of it; returns what ended it, which must not end what is under way."""
        for deletion in self._ledger.deletions():
            self._desk.delivery.delete(deletion.chat, deletion.message, deletion.due, tasks)
        working = tasks.create_task(_failure_of(lambda: self._workers.run(self)))
        helping = [tasks.create_task(self._feed()), tasks.create_task(self._planned.run())]
        stop = tasks.create_task(self._stopping.wait())
        attached = tasks.create_task(self._attached.wait())
        await asyncio.wait({working, attached, stop}, return_when="FIRST_COMPLETED")
        receiving = tasks.create_task(_failure_of(receiver.run))
        if self._attached.is_set():
            await asyncio.wait({working, receiving, stop}, return_when="FIRST_COMPLETED")
        for task in (stop, attached, receiving):
            task.cancel()
        # Only once it has ended can nothing more be accepted.
        await asyncio.wait({receiving})
        await self._drain(working, tasks)
        for each in helping:
            each.cancel()
        await self._workers.stop()
        await asyncio.wait({working})
        await self._desk.delivery.close()
        if self._ledger.suspended:
            # With a ledger what comes again is recognised, and Telegram makes us wait 3 s.
            await receiver.confirm()
        failures = (task.result() for task in (working, receiving) if not task.cancelled())
        return next((failure for failure in failures if failure is not None), None)

    async def _drain(
        self, working: asyncio.Task[Exception | None], tasks: asyncio.TaskGroup
    ) -> None:
        self._planned.attach(0)
        self._desk.backlog.flush(self._clock())
        quiet = tasks.create_task(self.quiet())
        await asyncio.wait(
            {working, quiet}, timeout=self._drain_limit, return_when="FIRST_COMPLETED"
        )
        quiet.cancel()
        if self.books.open:
            log.warning("stopping with %d updates still open", self.books.open)

    async def quiet(self) -> None:
        """Until every update that was accepted so far is settled."""
        await self._desk.quiet()

    def stop(self) -> None:
        """Take no more updates, finish what is under way, then return from :meth:`run`."""
        self._stopping.set()

    def _listens(self, how: str) -> None:
        if not self.listening.done():
            self.listening.set_result(how)

    async def accept(self, *pieces: Update | Broken) -> None:
        """Take updates as they came; durable on return. Waits while there is no room."""
        assert self._reception is not None, "the edge does not run"
        await self._reception.take(pieces)

    # ---- workers ----

    async def greet(self, port: Port[ToWorker, ToEdge]) -> Link:
        """As :meth:`~.workers.Attending.greet`."""
        assert self._bot is not None
        now = asyncio.get_running_loop().time()
        kept = self.memory.all()
        await port.send(Hello(self._bot, self._greeted, len(kept), self._quarantine.resting(now)))
        self._greeted += 1
        for each in kept:
            await port.send(each)
        while not isinstance(record := await port.receive(), Ready):
            log.debug("%s before Ready is ignored", type(record).__name__)
        return Link(self._greeted, port, record)

    async def attend(self, link: Link) -> None:
        """As :meth:`~.workers.Attending.attend`.

        A worker that was attended before keeps what it has, and gets nothing new.
        """
        self._current = link
        self._desk.work.attach(link.number)
        self._attached.set()
        self._desk.more.set()
        self._planned.attach(link.number)
        try:
            while self._untold:
                await link.port.send(self._untold.popleft())
            while True:
                self._record(link, await link.port.receive())
        except Closed:
            log.debug("worker %d has gone", link.number)
        finally:
            if self._current is link:
                self.pause()

    def pause(self) -> None:
        """As :meth:`~.workers.Attending.pause`."""
        self._current = None
        self._desk.work.detach()
        self._planned.attach(0)

    async def drained(self, link: Link) -> None:
        """As :meth:`~.workers.Attending.drained`."""
        while self._desk.work.holds(link.number):
            self._desk.released.clear()
            await self._desk.released.wait()

    def lost(self, link: Link, how: Death, culprit: str = "") -> None:
        """As :meth:`~.workers.Attending.lost`: what it had goes to the next one."""
        desk = self._desk
        loss = desk.work.died(link.number, how, culprit)
        self._planned.lost(link.number, blamed=how is not Death.KILLED)
        if loss.again:
            log.warning("worker %d %s; %d updates again", link.number, how.value, len(loss.again))
        for held in loss.finished:
            desk.settle(held)
        for held in loss.again:
            desk.delivery.gone(held.id)
        if loss.culprit:
            self._blame(loss.culprit)
        for held in loss.poison:
            log.error("update %d ends each worker alone and is not tried again", held.id)
            if held.head.press:
                desk.end(held, Outcome.SKIPPED)
            else:
                desk.say(held, words.poison(held.head.language))
        desk.more.set()

    def _blame(self, plugin: str) -> None:
        log.error("plugin %s brought a worker down", plugin)
        now = asyncio.get_running_loop().time()
        if now - self._blamed.get(plugin, now) > FORGIVEN:
            self._quarantine.succeeded(plugin)
        self._blamed[plugin] = now
        rest = self._quarantine.failed(plugin, now)
        if rest:
            log.error("plugin %s rests for %.0f s", plugin, rest)
            self.tell("resting", plugin)

    def pardon(self) -> None:
        """As :meth:`~.workers.Attending.pardon`."""
        self._quarantine = _quarantine()
        self._blamed.clear()

    def tell(self, kind: str, subject: str = "") -> None:
        """Have the owner told, by this worker or the next."""
        self._untold.append(Tell(kind, subject))
        if self._current is not None:
            self._to_worker(self._untold.popleft())

    async def _feed(self) -> None:
        """Give the present worker what is next for it."""
        loop = asyncio.get_running_loop()
        work, more = self._desk.work, self._desk.more
        while True:
            await more.wait()
            more.clear()
            while (link := self._current) is not None:
                held = work.next(loop.time())
                if held is None:
                    break
                try:
                    await link.port.send(Deliver(held.id, held.body, held.attempt))
                except Closed:
                    break  # it goes to the next worker, with all that this one had
            again = work.ask_again()
            if again is not None and again > loop.time():
                loop.call_at(again, more.set)

    def _to_worker(self, record: ToWorker) -> None:
        link, tasks = self._current, self._desk.tasks
        if link is not None and tasks is not None:
            tasks.create_task(_send(link.port, record))

    def _record(self, link: Link, record: ToEdge) -> None:
        tasks = self._desk.tasks
        assert tasks is not None
        link.beat = asyncio.get_running_loop().time()
        match record:
            case Beat():
                return
            case Rests():
                now = asyncio.get_running_loop().time()
                self._quarantine.put_to_rest(record.plugin, record.seconds, now)
            case Started() | Draft() | Send() | Done():
                self._desk.take(record)
            case AnswerPress() | EditMessage() | DeleteMessage():
                self._desk.pressed(record)
            case Fetch() | AskMember() | DeleteLater():
                tasks.create_task(self._asking.answer(record, link.port))
            case Drain():
                log.info("the bot was asked to end")
                self.stop()
            case Commands():
                tasks.create_task(self._set_commands(record))
            case Remember():
                self._remember(link, record)
            case Plan():
                self._planned.plan(record)
            case Called():
                self._planned.called(record.id)
            case Ready():
                log.warning("a second Ready was ignored")

    def _remember(self, link: Link, record: Remember) -> None:
        self.memory.take(record)
        if self._current is not link:
            # From a worker that hands over: its successor must know.
            self._to_worker(Remembered(record.plugin, record.key, record.body or b""))

    async def _set_commands(self, record: Commands) -> None:
        """Set the menu, unless it stands so already."""
        if self._menu.get(record.language) == record:
            return
        try:
            await self._api.set_commands(record.language, record.commands)
        except CallError as error:
            log.warning("the command menu was not set: %s", type(error).__name__)
        else:
            self._menu[record.language] = record

    async def _delivered(self, receipt: Receipt) -> None:
        if self._current is not None:
            await _send(self._current.port, Delivered(receipt))

    def _suspended(self, reason: str) -> None:
        if reason:
            log.error("nothing-lost is suspended: %s", reason)
            self.tell("suspended")
        else:
            log.warning("the ledger holds again")
            self.tell("restored")
            self._desk.recovery.add(self._ledger.take_left())


def _quarantine() -> Quarantine:
    return Quarantine(failures=POISON, first=FIRST_REST, longest=LONGEST_REST)


async def _send(port: Port[ToWorker, ToEdge], record: ToWorker) -> None:
    try:
        await port.send(record)
    except Closed:
        log.debug("%s came after the worker had gone", type(record).__name__)


async def _failure_of(work: Callable[[], Awaitable[None]]) -> Exception | None:
    """What ended ``work`` by itself. Returned, not raised, so that it ends nothing else."""
    try:
        await work()
    except Closed:
        log.debug("the worker has gone")
    except Exception as error:  # noqa: BLE001 - raised once all is settled
        return error
    return None
