"""Delivery: a lane a chat, what it holds, and the books on it.

A lane exists while it has something to send. Replies to one asker go in the order
in which they were put; others are overtaken by merging only. How many wait in
all, the edge bounds by taking no updates.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

import msgspec

from ...broker import AnswerPress, DeleteMessage, Draft, EditMessage, Send, Target
from ...privacy import describe
from ..api import Api, Rejected
from ..books import UNKNOWN
from ..splitting import TEXT_LIMIT
from .calling import Caller, Halted
from .changes import Changes
from .deletions import Deletions, Paid
from .drafting import Drafter
from .finishing import Finished, Finisher
from .gate import Gate
from .handing import Hands, Owe, Sending
from .known import Known
from .lane import Lane
from .marks import Marks
from .merging import Part, gather
from .pace import Pace
from .streams import Streams
from .tasks import begin
from .toasts import Toasts
from .tracing import trace

log = logging.getLogger(__name__)

TOGETHER: Final = 0.1
"""Seconds in which the answers of one generation come to a group, to go as one message."""

STOPPED: Final = "stopped"
"""A receipt's error where delivery ended before the reply was sent."""
MOVED: Final = 1_000
"""Groups that became supergroups, by their old ids."""
FOUND: Final = 1_000
"""Messages of an earlier run that were found, by chat and floor."""


class Delivery:
    """Sends what the worker replies.

    ``finished`` is awaited exactly once for every reply that was put. A receipt's
    error is "" or why there is none: "backlog", "empty", "unknown" (it may have
    arrived), "stopped", or the name of what was raised. Cancelled tasks leave
    their replies where they are; :meth:`close` finishes them.

    ``sending`` is awaited with a reply and the floor (see :meth:`arrived`) before
    the first call that may show it. ``owe`` is awaited with chat, message and time
    (seconds since the epoch) of each message that is to be deleted, ``paid`` when
    nothing more is to be done about it, and ``stays`` told the chat of one that can't be.

    ``limit`` is the longest message in UTF-16 units; ``drafts`` whether to show
    answers while they are written.
    """

    def __init__(
        self,
        api: Api,
        finished: Finished,
        *,
        sending: Sending | None = None,
        owe: Owe | None = None,
        paid: Paid | None = None,
        stays: Callable[[int], None] | None = None,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        limit: int = TEXT_LIMIT,
        drafts: bool = True,
    ) -> None:
        self._api = api
        self._limit = limit
        self._drafts = drafts
        self._gate = Gate(pace)
        self._known = Known()
        self._streams = Streams()
        self._drafter = Drafter(api, self._gate, self._known, self._streams, limit=limit)
        self._marks = Marks(api, self._gate, self._busy)
        self._deletions = Deletions(api, self._gate, paid, stays)
        self._toasts = Toasts(api)
        self._changes = Changes(api, self._gate, limit=limit)
        self._hands = Hands(
            Caller(api, self._gate, self._known),
            self._known,
            self._streams,
            self._deletions,
            limit=limit,
            sending=sending,
            owe=owe,
            finish=self._finish,
            blocked=self._blocked,
        )
        self._lanes: dict[int, Lane] = {}
        self._moved: OrderedDict[int, int] = OrderedDict()
        self._found: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._books = Finisher(finished, self._rest)
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """Replies that were put and are not finished."""
        return self._books.waiting

    @property
    def reads_all(self) -> bool:
        """Whether the bot gets every message of its groups (privacy mode off); set once known."""
        return self._known.reads_all

    @reads_all.setter
    def reads_all(self, value: bool) -> None:
        self._known.reads_all = value

    def put(self, send: Send, tasks: asyncio.TaskGroup) -> None:
        """Queue a reply behind the others of its chat; too many there, and it is refused."""
        self._books.waiting += 1
        if self._closed:
            self._undo(send, STOPPED, tasks)
            return
        lane = self._lane(send.target.chat_id, tasks)
        if not lane.add(send, self._limit):
            log.warning("a reply to update %d was dropped: too many wait for its chat", send.id)
            self._undo(send, "backlog", tasks)
            return

    def show(self, draft: Draft, tasks: asyncio.TaskGroup) -> None:
        """Show an unfinished answer, if its chat has time for it; the latest of each wins."""
        if self._drafts and not self._closed:
            lane = self._lane(draft.target.chat_id, tasks)
            if draft.target.private:
                lane.drafts.clear()
            lane.drafts[draft.id] = draft

    def answer(self, record: AnswerPress, tasks: asyncio.TaskGroup) -> None:
        """End the wait of who pressed a button, ahead of all that waits for a turn."""
        self._toasts.add(record, tasks)

    def change(self, record: EditMessage | DeleteMessage, tasks: asyncio.TaskGroup) -> None:
        """Change a message of ours, at its chat's pace."""
        chat_id = self._moved.get(record.chat_id, record.chat_id)
        self._changes.add(msgspec.structs.replace(record, chat_id=chat_id), tasks)

    def working(
        self, update: int, target: Target, message_id: int, tasks: asyncio.TaskGroup
    ) -> None:
        """Show that an update is worked on; ``message_id`` is what its asker wrote, or 0."""
        if not self._closed:
            self._marks.working(update, target, message_id, tasks)

    def rested(self, update: int) -> None:
        """Nobody works on the update any more."""
        self._marks.rested(update)

    def seen(self, chat_id: int, message_id: int, *, latest: bool = True) -> None:
        """Somebody else's message has this id; needed to tell what became of our own.

        ``latest``: it was written after all that an earlier run of the bot sent.
        """
        self._known.note(chat_id, message_id, latest=latest)

    def gone(self, update: int) -> None:
        """The worker died over this update: its answer begins anew, in the same message."""
        self._marks.rested(update)
        for lane in self._lanes.values():
            lane.drafts.pop(update, None)

    def drop_chat(self, chat_id: int) -> None:
        """The bot can't write to this chat any more: what waits for it is "Rejected"."""
        self._marks.forget(chat_id)
        self._gate.turn_away(chat_id)
        for key, lane in self._lanes.items():
            if chat_id in (key, lane.chat_id):
                self._drop(lane)

    async def arrived(self, chat_id: int, floor: int, *, private: bool) -> bool | None:
        """Whether a message of ours above ``floor`` exists in a chat, after a crash.

        ``floor`` is what ``sending`` was told: the highest id known before the send, 0
        where ids can't tell (an edit). True: one exists that this process did not
        send; False: surely none; None: it can't be told. ``private`` is the chat's
        kind, whose ids count with those of the other private chats.
        """
        if private != (chat_id > 0):
            return None
        if (chat_id, floor) in self._found:  # another reply in the same merged message
            return True
        found = await trace(self._api, self._gate, self._known, chat_id, floor, settle=0.0)
        if found:
            self._known.note(chat_id, found, latest=False)
            self._found[chat_id, floor] = None
            if len(self._found) > FOUND:
                self._found.popitem(last=False)
        return None if found is None else found > 0

    def delete(self, chat_id: int, message_id: int, due: float, tasks: asyncio.TaskGroup) -> None:
        """Delete a message at ``due``, in seconds since the epoch."""
        self._deletions.add(chat_id, message_id, due, tasks)

    async def flushed(self) -> None:
        """Until nothing waits to be sent or changed."""
        await self._idle.wait()
        await self._toasts.flushed()
        await self._changes.flushed()

    async def close(self) -> None:
        """End: what waits is finished as "stopped", what may have arrived as "unknown".

        Waits for calls under way, which take at most the API's timeouts. Deletions are
        left to the ledger.
        """
        self._closed = True
        self._marks.close()
        self._toasts.close()
        self._changes.close()
        self._deletions.close()
        self._gate.close()
        running = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for lane in self._lanes.values():
            lane.more.set()
        if running:
            await asyncio.wait(running)
        for lane in self._lanes.values():
            for send in lane.current:
                self._books.leave(send, UNKNOWN if lane.unsure else STOPPED)
            for send in lane.sends:
                self._books.leave(send, STOPPED)
        self._lanes.clear()
        await self._books.close()

    def _busy(self, chat_id: int) -> bool:
        lane = self._lanes.get(chat_id)
        return lane is not None and lane.busy

    def _lane(self, chat_id: int, tasks: asyncio.TaskGroup) -> Lane:
        lane = self._lanes.get(chat_id)
        if lane is None:
            goes_to = self._moved.get(chat_id, chat_id)
            lane = Lane(goes_to, tasks, asyncio.Event(), deque(), [], {})
            self._lanes[chat_id] = lane
            self._idle.clear()
            lane.task = begin(tasks, self._run(chat_id, lane))
        return lane

    async def _run(self, key: int, lane: Lane) -> None:
        """Send all that the lane gets; it ends when the pause after a draft does."""
        while not self._closed:
            if lane.sends:
                await self._turn(key, lane)
                continue
            pause = self._drafter.pause(lane)
            if pause > 0:
                lane.more.clear()
                try:
                    async with asyncio.timeout(pause):
                        await lane.more.wait()
                except TimeoutError:
                    continue
            elif lane.drafts:
                await self._drafter.show(lane)
            else:
                break
        if self._closed:
            return
        del self._lanes[key]
        self._rest()

    def _rest(self) -> None:
        if not self._lanes and self._books.idle:
            self._idle.set()

    def _undo(self, send: Send, error: str, tasks: asyncio.TaskGroup) -> None:
        self._idle.clear()
        self._books.undo(send, error, tasks)

    async def _turn(self, key: int, lane: Lane) -> None:
        """Wait for the chat's turn, then hand out what goes together."""
        lane.dropped = False
        if lane.sends[0].shared and not lane.sends[0].target.private:
            await asyncio.sleep(TOGETHER)
        lane.ticket = await self._gate.enter(lane.chat_id)
        if lane.ticket is None:
            return
        try:
            if lane.sends:
                await self._hand_out(lane, self._choose(lane))
        except Halted:
            return
        finally:
            if lane.ticket is not None:
                self._gate.leave(lane.ticket)
                lane.ticket = None
            if lane.chat_id != self._moved.get(key, key):
                self._moved[key] = lane.chat_id
                if len(self._moved) > MOVED:
                    self._moved.popitem(last=False)

    def _choose(self, lane: Lane) -> list[Part]:
        """Take the next reply from the lane, or those that go with it as one message.

        [] is one reply by itself. Merged is what can't go at once, and what says the same.
        """
        parts: list[Part] = []
        crowded = lane.crowded(self._gate.quick(lane.chat_id))
        if crowded or lane.sends[0].shared:
            try:
                parts = gather(lane.sends, self._limit, self._streams, alike=not crowded)
            except Exception as error:  # noqa: BLE001 - it fails again by itself, and alone
                log.error("replies were not merged: %s", describe(error))
        lane.take([part.send for part in parts] or [lane.sends[0]], self._limit)
        return parts if len(parts) > 1 else []

    async def _hand_out(self, lane: Lane, parts: list[Part]) -> None:
        try:
            if parts:
                await self._hands.merged(lane, parts)
            else:
                await self._hands.alone(lane, lane.current[0])
        except Halted:
            if self._closed:
                raise
            error = UNKNOWN if lane.unsure else Rejected.__name__
            for send in list(lane.current):
                await self._finish(lane, send, error=error)
        except Exception as failure:  # noqa: BLE001 - one send must not end the edge
            log.error("replies were not sent: %s", describe(failure))
            for send in list(lane.current):
                await self._finish(lane, send, error=type(failure).__name__)

    async def _blocked(self, lane: Lane, refused: Rejected) -> None:
        """Nothing more can be sent to this chat: what waits need not be tried."""
        log.info("a chat can't be written to: %s", refused.reason)
        for send in list(lane.current):
            await self._finish(lane, send, error=Rejected.__name__)
        self._marks.forget(lane.chat_id)
        self._drop(lane)

    def _drop(self, lane: Lane) -> None:
        for send in lane.drop():
            self._undo(send, Rejected.__name__, lane.tasks)
        self._gate.turn_away(lane.chat_id)

    async def _finish(
        self, lane: Lane, send: Send, ids: tuple[int, ...] = (), error: str = ""
    ) -> None:
        lane.current = [other for other in lane.current if other is not send]
        await self._books.finish(send, lane.chat_id, ids, error)
