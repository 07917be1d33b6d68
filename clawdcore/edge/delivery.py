"""Hand replies out: a lane a chat, in order, retried, split, plain where markup fails.

A 429 pauses the lane of its chat and no other. A lane exists while it has
something to send. A lane holds at most :data:`LANE_LIMIT` replies, the newest
beyond are refused; how many wait in all, the edge bounds by taking no updates.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import msgspec

from ..broker import Draft, Send, Target
from ..messages import Receipt, Reply
from ..privacy import describe
from .api import Api, CallError, FloodWait, Rejected, Unreachable
from .books import UNKNOWN
from .markup import BadMarkup, Entity, parse_html
from .splitting import TEXT_LIMIT, Piece, split

log = logging.getLogger(__name__)

DRAFT_PAUSE: Final = 0.5
"""Seconds between two drafts in a chat."""
RETRIES: Final = 2
"""How often a send that surely had no effect is tried again."""
UNKNOWN_RETRIES: Final = 1
"""How often an answer is sent again that may have arrived; a notice never is."""
FLOOD_RETRIES: Final = 10
"""How often a send is tried again after a 429."""
LANE_LIMIT: Final = 200
"""Replies that wait for one chat; at Telegram's one a second, minutes of them."""

Finished = Callable[[Send, Receipt], Coroutine[Any, Any, None]]


class _Lane(msgspec.Struct):
    """What one chat still gets."""

    sends: deque[Send]
    more: asyncio.Event
    draft: Draft | None = None
    drafted_at: float = float("-inf")


class Delivery:
    """Sends what the worker replies; ``finished`` is told what became of each.

    A receipt's error is "" or why there is none: "backlog", "empty", "unknown"
    (it may have arrived), or the name of what was raised.

    ``limit`` is the longest message in UTF-16 units; ``drafts`` whether to show
    answers in private chats while they are written.
    """

    def __init__(
        self,
        api: Api,
        finished: Finished,
        *,
        limit: int = TEXT_LIMIT,
        drafts: bool = True,
    ) -> None:
        self._api = api
        self._finished = finished
        self._limit = limit
        self._drafts = drafts
        self._lanes: dict[int, _Lane] = {}
        self.waiting = 0
        """Replies that were put and are not finished."""
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, send: Send, tasks: asyncio.TaskGroup) -> None:
        """Queue a reply behind the others of its chat."""
        lane = self._lane(send.target.chat_id, tasks)
        if len(lane.sends) >= LANE_LIMIT:
            log.warning("a reply to update %d was dropped: too many wait for its chat", send.id)
            # A task, since the edge must go on reading what the worker says.
            tasks.create_task(self._finished(send, _receipt(send, error="backlog")))
            return
        self.waiting += 1
        lane.sends.append(send)
        lane.more.set()
        if lane.draft is not None and lane.draft.id == send.id:
            lane.draft = None

    def show(self, draft: Draft, tasks: asyncio.TaskGroup) -> None:
        """Show an unfinished answer, if its chat has time for it; the latest wins."""
        if self._drafts and draft.target.private:
            self._lane(draft.target.chat_id, tasks).draft = draft

    async def flushed(self) -> None:
        """Until nothing waits to be sent."""
        await self._idle.wait()

    def _lane(self, chat_id: int, tasks: asyncio.TaskGroup) -> _Lane:
        lane = self._lanes.get(chat_id)
        if lane is None:
            lane = self._lanes[chat_id] = _Lane(deque(), asyncio.Event())
            self._idle.clear()
            tasks.create_task(self._run(chat_id, lane))
        return lane

    async def _run(self, chat_id: int, lane: _Lane) -> None:
        """Send all that the lane gets; it ends when the pause after a draft does."""
        while True:
            pause = lane.drafted_at + DRAFT_PAUSE - asyncio.get_running_loop().time()
            if lane.sends:
                send = lane.sends.popleft()
                receipt = await self._deliver(send)
                self.waiting -= 1
                await self._finished(send, receipt)
            elif pause > 0:
                lane.more.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await lane.more.wait()
            elif lane.draft is not None:
                await self._draft(lane, lane.draft)
            else:
                break
        del self._lanes[chat_id]
        if not self._lanes:
            self._idle.set()

    async def _draft(self, lane: _Lane, draft: Draft) -> None:
        lane.draft = None
        lane.drafted_at = asyncio.get_running_loop().time()
        try:
            pieces = split(draft.text, limit=self._limit)
            if pieces:
                await self._api.draft(draft.target, draft.id or 1, pieces[-1][0])
        except Exception as error:  # noqa: BLE001 - one draft must not end the edge
            log.debug("a draft was not shown: %s", type(error).__name__)

    async def _deliver(self, send: Send) -> Receipt:
        """Send all pieces of one reply; stops at the first that can't be sent."""
        ids: list[int] = []
        error = ""
        target = send.target
        try:
            for piece in self._pieces(send.reply):
                ids.append(await self._send(send, target, piece))
                target = msgspec.structs.replace(target, reply_to=0)
            if not ids:
                error = "empty"
        except CallError as failure:
            unknown = isinstance(failure, Unreachable) and failure.sent
            error = UNKNOWN if unknown else type(failure).__name__
        except Exception as failure:  # noqa: BLE001 - one send must not end the edge
            error = type(failure).__name__
            log.error("a reply to update %d failed: %s", send.id, describe(failure))
        if error:
            log.warning("a reply to update %d was not delivered: %s", send.id, error)
        return _receipt(send, tuple(ids), error)

    def _pieces(self, reply: Reply) -> list[Piece]:
        text = _without_lone_surrogates(reply.text)
        entities: tuple[Entity, ...] = ()
        if reply.format == "html":
            try:
                text, entities = parse_html(text)
            except BadMarkup as error:
                log.warning("markup is sent as plain text: %s", error)
        return split(text, entities, self._limit)

    async def _send(self, send: Send, target: Target, piece: Piece) -> int:
        text, entities = piece
        preview = send.reply.preview
        unreachable = unknown = floods = 0
        while True:
            try:
                return await self._api.send(target, text, entities, preview=preview)
            except FloodWait as wait:
                floods += 1
                if floods > FLOOD_RETRIES:
                    raise
                log.info("Telegram asks for a pause of %g s in one chat", wait.seconds)
                await asyncio.sleep(wait.seconds)
            except Unreachable as failure:
                unreachable += 1
                unknown += failure.sent
                if unreachable > RETRIES or unknown > (0 if send.notice else UNKNOWN_RETRIES):
                    raise Unreachable(str(failure), sent=unknown > 0) from None
                await asyncio.sleep(2.0 ** (unreachable - 1))
            except Rejected:
                if not entities:
                    raise
                entities = ()


def _receipt(send: Send, ids: tuple[int, ...] = (), error: str = "") -> Receipt:
    return Receipt(
        update_id=send.id,
        chat_id=send.target.chat_id,
        message_ids=ids,
        error=error,
        at=time.time(),
    )


def _without_lone_surrogates(text: str) -> str:
    """``text`` as something that UTF-8 can carry; a half of a pair becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
