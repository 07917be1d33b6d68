"""Delivery: a lane a chat, what it holds, and the books on it. Interface frozen.

A lane exists while it has something to send. Replies to one asker go in the order
in which they were put; others are overtaken by merging only. How many wait in
all, the edge bounds by taking no updates.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ...broker import Draft, Send, Target
from ...messages import Receipt
from ...privacy import describe
from ..api import Api, Rejected
from ..books import UNKNOWN
from ..splitting import TEXT_LIMIT
from .calling import Caller, Halted
from .deletions import Deletions, Paid
from .drafting import Drafter
from .gate import Gate
from .handing import Hands, Owe, Sending
from .known import Known
from .lane import Lane, has_room, weight
from .marks import Marks
from .merging import Part, gather
from .pace import Pace
from .streams import Streams
from .tracing import trace

log = logging.getLogger(__name__)

STOPPED: Final = "stopped"
"""A receipt's error where delivery ended before the reply was sent."""
MOVED: Final = 1_000
"""Groups that became supergroups, by their old ids."""

Finished = Callable[[Send, Receipt], Coroutine[Any, Any, None]]


class Delivery:
    """Sends what the worker replies.

    ``finished`` is awaited exactly once for every reply that was put. A receipt's
    error is "" or why there is none: "backlog", "empty", "unknown" (it may have
    arrived), "stopped", or the name of what was raised. Cancelled tasks leave
    their replies where they are; :meth:`close` finishes them.

    ``sending`` is awaited with a reply and the floor (see :meth:`arrived`) before
    the first call that may show it. ``owe`` is awaited with chat, message and time
    (seconds since the epoch) of each message that is to be deleted, ``paid`` when
    nothing more is to be done about it.

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
        pace: Pace = Pace(),  # noqa: B008 - frozen
        limit: int = TEXT_LIMIT,
        drafts: bool = True,
    ) -> None:
        self._api = api
        self._finished = finished
        self._limit = limit
        self._drafts = drafts
        self._gate = Gate(pace)
        self._known = Known()
        self._streams = Streams()
        self._drafter = Drafter(api, self._gate, self._known, self._streams, limit=limit)
        self._marks = Marks(api, self._gate, self._busy)
        self._deletions = Deletions(api, self._gate, paid)
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
        self._undone: deque[tuple[Send, str]] = deque()
        self._undoing: asyncio.Task[None] | None = None
        self._closed = False
        self.waiting = 0
        """Replies that were put and are not finished."""
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def reads_all(self) -> bool:
        """Whether the bot gets every message of its groups (privacy mode off); set once known."""
        return self._known.reads_all

    @reads_all.setter
    def reads_all(self, value: bool) -> None:
        self._known.reads_all = value

    def put(self, send: Send, tasks: asyncio.TaskGroup) -> None:
        """Queue a reply behind the others of its chat; too many there, and it is refused."""
        self.waiting += 1
        if self._closed:
            self._undo(send, STOPPED, tasks)
            return
        lane = self._lane(send.target.chat_id, tasks)
        more = weight(send, self._limit)
        if not has_room(lane, more):
            log.warning("a reply to update %d was dropped: too many wait for its chat", send.id)
            self._undo(send, "backlog", tasks)
            return
        lane.sends.append(send)
        lane.weight += more
        lane.drafts.pop(send.id, None)
        lane.more.set()

    def show(self, draft: Draft, tasks: asyncio.TaskGroup) -> None:
        """Show an unfinished answer, if its chat has time for it; the latest of each wins."""
        if self._drafts and not self._closed:
            lane = self._lane(draft.target.chat_id, tasks)
            if draft.target.private:
                lane.drafts.clear()
            lane.drafts[draft.id] = draft

    def working(
        self, update: int, target: Target, message_id: int, tasks: asyncio.TaskGroup
    ) -> None:
        """Show that an update is worked on; ``message_id`` is what its asker wrote, or 0."""
        if not self._closed:
            self._marks.working(update, target, message_id, tasks)

    def rested(self, update: int) -> None:
        """Nobody works on the update any more."""
        self._marks.rested(update)

    def seen(self, chat_id: int, message_id: int) -> None:
        """Somebody else's message has this id; needed to tell what became of our own."""
        self._known.note(chat_id, message_id)

    def gone(self, update: int) -> None:
        """The worker died over this update: its answer begins anew, in the same message."""
        self._marks.rested(update)
        for lane in self._lanes.values():
            lane.drafts.pop(update, None)

    def drop_chat(self, chat_id: int) -> None:
        """The bot can't write to this chat any more: what waits for it is "Rejected"."""
        self._marks.forget(chat_id)
        lane = self._lanes.get(chat_id)
        if lane is None:
            return
        lane.drafts.clear()
        lane.dropped = True
        while lane.sends:
            self._undo(lane.sends.popleft(), Rejected.__name__, lane.tasks)
        lane.weight = 0.0
        lane.more.set()
        self._gate.turn_away(lane.chat_id)

    async def arrived(self, chat_id: int, floor: int, *, private: bool) -> bool | None:
        """Whether a message of ours above ``floor`` exists in a chat, after a crash.

        ``floor`` is what ``sending`` was told: the highest id known before the send, 0
        where ids can't tell (an edit). True: one exists that this process did not
        send; False: surely none; None: it can't be told. ``private`` is the chat's
        kind, whose ids count with those of the other private chats.
        """
        if private != (chat_id > 0):
            return None
        found = await trace(self._api, self._gate, self._known, chat_id, floor, settle=0.0)
        if found:
            self._known.note_own(chat_id, found)
        return None if found is None else found > 0

    def delete(self, chat_id: int, message_id: int, due: float, tasks: asyncio.TaskGroup) -> None:
        """Delete a message of ours at ``due``, in seconds since the epoch."""
        self._deletions.add(chat_id, message_id, due, tasks)

    async def flushed(self) -> None:
        """Until nothing waits to be sent."""
        await self._idle.wait()

    async def close(self) -> None:
        """End: what waits is finished as "stopped", what may have arrived as "unknown".

        Waits for calls under way, which take at most the API's timeouts. Deletions are
        left to the ledger.
        """
        self._closed = True
        self._marks.close()
        self._deletions.close()
        self._gate.close()
        running = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for lane in self._lanes.values():
            lane.more.set()
        if self._undoing is not None:
            running.append(self._undoing)
        if running:
            await asyncio.wait(running)
        for lane in self._lanes.values():
            error = UNKNOWN if lane.unsure else STOPPED
            self._undone.extend((send, error) for send in lane.current)
            self._undone.extend((send, STOPPED) for send in lane.sends)
        self._lanes.clear()
        await self._undo_all()

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
            lane.task = tasks.create_task(self._run(chat_id, lane))
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
        if not self._lanes and not self._undone and self._undoing is None:
            self._idle.set()

    async def _turn(self, key: int, lane: Lane) -> None:
        """Wait for the chat's turn, then hand out what goes together."""
        lane.dropped = False
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

        [] is one reply by itself. Merged is only what can't go at once.
        """
        parts: list[Part] = []
        now = asyncio.get_running_loop().time()
        group = self._gate.scheduler.chats.of(lane.chat_id, now).group
        if group is not None and len(lane.sends) > 1 + group.quick(now):
            try:
                parts = gather(lane.sends, self._limit, self._streams)
            except Exception as error:  # noqa: BLE001 - it fails again by itself, and alone
                log.debug("replies were not merged: %s", type(error).__name__)
        chosen = [part.send for part in parts] or [lane.sends[0]]
        taken = {id(send) for send in chosen}
        lane.sends = deque(send for send in lane.sends if id(send) not in taken)
        lane.weight -= sum(weight(send, self._limit) for send in chosen)
        if not lane.sends:
            lane.weight = 0.0
        lane.current = chosen
        lane.unsure = False
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

    async def _blocked(self, lane: Lane, refused: Rejected) -> None:
        """Nothing more can be sent to this chat: what waits need not be tried."""
        log.info("a chat can't be written to: %s", refused.reason)
        for send in list(lane.current):
            await self._finish(lane, send, error=Rejected.__name__)
        for key, known in list(self._lanes.items()):
            if known is lane:
                self.drop_chat(key)

    async def _finish(
        self, lane: Lane, send: Send, ids: tuple[int, ...] = (), error: str = ""
    ) -> None:
        lane.current = [other for other in lane.current if other is not send]
        if error:
            log.warning("a reply to update %d was not delivered: %s", send.id, error)
        await self._tell(send, _receipt(send, lane.chat_id, ids, error))

    async def _tell(self, send: Send, receipt: Receipt) -> None:
        self.waiting -= 1
        try:
            await self._finished(send, receipt)
        except Exception as error:  # noqa: BLE001 - the next reply must go out all the same
            log.error("a receipt was not taken: %s", describe(error))

    def _undo(self, send: Send, error: str, tasks: asyncio.TaskGroup) -> None:
        """Finish a reply that is not sent; in a task, since the edge must go on reading."""
        self._undone.append((send, error))
        self._idle.clear()
        if self._undoing is None or self._undoing.done():
            work = self._undo_all()
            try:
                self._undoing = tasks.create_task(work)
            except RuntimeError:  # the group is ending: close() does it
                work.close()

    async def _undo_all(self) -> None:
        while self._undone:
            send, error = self._undone.popleft()
            await self._tell(send, _receipt(send, send.target.chat_id, (), error))
        self._undoing = None
        self._rest()


def _receipt(send: Send, chat_id: int, ids: tuple[int, ...], error: str) -> Receipt:
    return Receipt(update_id=send.id, chat_id=chat_id, message_ids=ids, error=error, at=time.time())
