"""The edge's desk: each update from its acceptance to its one outcome, with exact books."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from ..broker import (
    AnswerPress,
    DeleteMessage,
    Done,
    Draft,
    EditMessage,
    Outcome,
    Send,
    Started,
    Target,
)
from ..config import TelegramConfig
from ..messages import Receipt, Reply
from . import words
from .api import Api
from .backlog import Backlog
from .books import Books
from .delivery import Delivery, Pace
from .ledger import Ledger, Row
from .recovery import Recovery
from .room import Room
from .undeleted import Undeleted
from .work import Held, Work

log = logging.getLogger(__name__)

WAITING: Final = 5000
"""Replies waiting to be sent beyond which "done" alone makes no more room."""
LANGUAGES: Final = 10_000
"""Chats whose language is remembered: that of who wrote last."""
SKEW: Final = 5.0
"""Seconds by which our clock may be behind Telegram's."""


class Desk:
    """What is open, and what becomes of it.

    ``delivered`` is told of each reply's receipt. ``clock`` gives seconds since
    the epoch. Everything else is for the edge's own use.
    """

    def __init__(
        self,
        config: TelegramConfig,
        api: Api,
        ledger: Ledger,
        room: Room,
        *,
        delivered: Callable[[Receipt], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._began = clock()
        self._told = delivered
        self.ledger = ledger
        self.books = Books()
        self.work = Work()
        self.room = room
        self.delivery = Delivery(
            api,
            self._finished,
            sending=self._sending,
            owe=ledger.owe,
            paid=self._paid,
            stays=Undeleted(self._stay).add,
            pace=Pace(config.pace.per_second, config.pace.per_chat, config.pace.group_per_minute),
            limit=config.text_chunk_limit,
            drafts=config.streaming != "off",
        )
        self._languages: OrderedDict[int, str] = OrderedDict()
        self.backlog = Backlog(config.stale_after / 1000, settle=self.end, say=self.say)
        self.recovery = Recovery((), arrived=self._arrived, settle=self.end, say=self.say)
        self.more = asyncio.Event()
        """Set when a worker may get something."""
        self.released = asyncio.Event()
        """Set when a worker is done with something."""
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.tasks: asyncio.TaskGroup | None = None

    def left_over(self, rows: list[Row]) -> Recovery:
        """Begin with what an earlier run left."""
        self._began = self._clock()
        self.recovery = Recovery(rows, arrived=self._arrived, settle=self.end, say=self.say)
        return self.recovery

    async def quiet(self) -> None:
        """Until every update that was accepted so far is settled, and all replies are out."""
        await self._quiet.wait()
        await self.delivery.flushed()

    # ---- what comes in ----

    def taken(self, held: Held) -> None:
        """An update was accepted, and is durable."""
        head = held.head
        self.recovery.adopted(held.id)
        self._quiet.clear()
        if head.message:
            latest = not head.edited and head.time >= self._began + SKEW
            self.delivery.seen(head.chat, head.message, latest=latest)
        self._languages[head.chat] = head.language
        self._languages.move_to_end(head.chat)
        if len(self._languages) > LANGUAGES:
            self._languages.popitem(last=False)
        if head.left:
            self.work.add(held, wait=False)
            self.delivery.drop_chat(head.chat)
            self.end(held, Outcome.UNADDRESSED)
        elif self.backlog.late(held, self._clock()):
            self.work.add(held, wait=False)
            self.backlog.take(held, self._clock())
        else:
            self.work.add(held)
            self.more.set()

    # ---- what a worker says ----

    def take(self, record: Started | Draft | Send | Done) -> None:
        """What it says of an update, in order."""
        match record:
            case Started():
                self.started(record)
            case Draft():
                self.show(record)
            case Send():
                self.send(record)
            case Done():
                self.done(record)

    def started(self, record: Started) -> None:
        """Work on an update has begun, or goes on in another plugin."""
        held = self.work.get(record.id)
        again = held is not None and held.started
        held = self.work.started(record.id, record.plugin)
        if held is None or again:
            return
        head = held.head
        if head.press:
            return  # after a crash, a press that had begun is worth no notice either
        self.ledger.start(record.id)
        if head.wanted and self.tasks is not None:
            target = Target(chat_id=head.chat, topic=head.topic, private=head.private)
            self.delivery.working(held.id, target, head.message, self.tasks)

    def show(self, record: Draft) -> None:
        """An answer grows."""
        if record.id in self.work and self.tasks is not None:
            self.delivery.show(record, self.tasks)

    def send(self, record: Send) -> None:
        """A reply is to go out."""
        held = self.work.get(record.id)
        if held is not None and not record.interim:
            held.sending += 1
            held.replied = True
            held.noticed = record.notice
        if self.tasks is not None:
            self.delivery.put(record, self.tasks)

    def pressed(self, record: AnswerPress | EditMessage | DeleteMessage) -> None:
        """A button was pressed: its presser is answered, or a message of ours changed."""
        if self.tasks is None:
            return
        if isinstance(record, AnswerPress):
            self.delivery.answer(record, self.tasks)
        else:
            self.delivery.change(record, self.tasks)

    def delete(self, chat: int, message: int, due: float) -> None:
        """A message goes at ``due`` (seconds since the epoch); the ledger owes it."""
        if self.tasks is not None:
            self.delivery.delete(chat, message, due, self.tasks)

    def done(self, record: Done) -> None:
        """The worker has handed over all there is for an update."""
        held = self.work.done(record.id, record.outcome)
        if held is None:
            return
        self.more.set()
        self.released.set()
        if self.delivery.waiting < WAITING:
            self._make_room(held)
        self.settle(held)

    # ---- how it ends ----

    def settle(self, held: Held) -> None:
        """Close an update, if the worker is done with it and all its replies are out."""
        if held.outcome is None or held.sending:
            return
        self.delivery.rested(held.id)
        for number in (*held.together, held.id):
            each = self.work.get(number)
            if each is not None:
                self._make_room(each)
                self.work.close(number)
                self.books.settle(held.outcome)
                self.ledger.done(number, held.outcome)
        if not len(self.work):
            self._quiet.set()

    def _make_room(self, held: Held) -> None:
        if held.size is not None:
            self.room.give_back(held.size)
            held.size = None

    async def _sending(self, send: Send, floor: int) -> None:
        """A reply is about to leave: from here on it may have arrived."""
        held = self.work.get(send.id)
        if held is not None and not send.interim:
            async with asyncio.TaskGroup() as tasks:
                for number in (*held.together, held.id):
                    tasks.create_task(self.ledger.sending(number, floor))

    async def _paid(self, chat: int, message: int) -> None:
        self.ledger.paid(chat, message)

    async def _finished(self, send: Send, receipt: Receipt) -> None:
        self.books.deliver(receipt.error)
        held = self.work.get(send.id)
        if held is not None and not send.interim:
            held.sending -= 1
            self.settle(held)
        await self._told(receipt)

    async def _arrived(self, row: Row) -> bool | None:
        return await self.delivery.arrived(row.chat, row.floor, private=row.private)

    # ---- what the edge says by itself ----

    def end(self, held: Held, outcome: Outcome) -> None:
        """An update ends without a reply."""
        self._open(held)
        held.outcome = outcome
        held.body = b""
        self.settle(held)

    def say(self, held: Held, text: str) -> None:
        """End an update, and those in its ``together``, with one notice."""
        assert self.tasks is not None, "the edge does not run"
        self._open(held)
        held.outcome = Outcome.NOTICED
        held.body = b""
        held.sending += 1
        head = held.head
        # Where it shares a message with others, it must say whom it is for.
        asker = head.user if head.wanted else 0
        send = Send(held.id, head.target, Reply(text=text), notice=True, asker=asker)
        self.delivery.put(send, self.tasks)

    def _stay(self, chat: int, count: int) -> None:
        """Messages that were to vanish can't be deleted."""
        if self.tasks is not None:
            text = words.undeleted(count, self._languages.get(chat, ""))
            target = Target(chat_id=chat, private=chat > 0)
            self.delivery.put(Send(0, target, Reply(text=text), notice=True), self.tasks)

    def _open(self, held: Held) -> None:
        """An earlier run's updates are in the books from the moment that they end."""
        for number in (*held.together, held.id):
            if number not in self.work:
                each = held if number == held.id else Held(id=number, head=held.head)
                self.books.accepted += 1
                self.work.add(each, wait=False)
                self._quiet.clear()
