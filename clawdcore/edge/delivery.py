"""Hand replies out: a lane a chat, in order, retried, split, plain where markup fails.

A 429 pauses the lane of its chat and no other. A lane exists while it has
something to send. The lanes are bounded from outside: a worker answers each
update once, and the edge holds a bounded number of updates.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec

from ..broker import Draft, Send, Target
from ..messages import Receipt, Reply
from ..privacy import describe
from .api import Api, CallError, FloodWait, Rejected, Unreachable
from .markup import BadMarkup, Entity, parse_html
from .splitting import TEXT_LIMIT, Piece, split

log = logging.getLogger(__name__)

DRAFT_PAUSE: Final = 0.5
"""Seconds between two drafts in a chat."""
RETRIES: Final = 2
"""How often a send is tried again when Telegram can't be reached."""
FLOOD_RETRIES: Final = 10
"""How often a send is tried again after a 429."""

Finished = Callable[[Send, Receipt], Awaitable[None]]


class _Lane(msgspec.Struct):
    """What one chat still gets."""

    sends: deque[Send]
    more: asyncio.Event
    draft: Draft | None = None
    drafted_at: float = float("-inf")


class Delivery:
    """Sends what the worker replies; ``finished`` is told what became of each.

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
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, send: Send, tasks: asyncio.TaskGroup) -> None:
        """Queue a reply behind the others of its chat."""
        lane = self._lane(send.target.chat_id, tasks)
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
        pieces = split(draft.text, limit=self._limit)
        if not pieces:
            return
        try:
            await self._api.draft(draft.target, draft.id or 1, pieces[-1][0])
        except CallError as error:
            log.debug("a draft was not shown: %s", type(error).__name__)

    async def _deliver(self, send: Send) -> Receipt:
        """Send all pieces of one reply; stops at the first that can't be sent."""
        ids: list[int] = []
        error = ""
        target = send.target
        for text, entities in self._pieces(send.reply):
            try:
                ids.append(await self._send(target, text, entities, preview=send.reply.preview))
            except CallError as failure:
                error = type(failure).__name__
                log.warning("a reply to update %d was not delivered: %s", send.id, error)
                break
            except Exception as failure:  # noqa: BLE001 - one send must not end the edge
                error = type(failure).__name__
                log.error("a reply to update %d failed: %s", send.id, describe(failure))
                break
            target = msgspec.structs.replace(target, reply_to=0)
        return Receipt(
            update_id=send.id,
            chat_id=send.target.chat_id,
            message_ids=tuple(ids),
            error=error,
            at=time.time(),
        )

    def _pieces(self, reply: Reply) -> list[Piece]:
        text: str = reply.text
        entities: tuple[Entity, ...] = ()
        if reply.format == "html":
            try:
                text, entities = parse_html(reply.text)
            except BadMarkup as error:
                log.warning("markup is sent as plain text: %s", error)
        return split(text, entities, self._limit)

    async def _send(
        self, target: Target, text: str, entities: tuple[Entity, ...], *, preview: bool
    ) -> int:
        unreachable = floods = 0
        while True:
            try:
                return await self._api.send(target, text, entities, preview=preview)
            except FloodWait as wait:
                floods += 1
                if floods > FLOOD_RETRIES:
                    raise
                log.info("Telegram asks for a pause of %g s in one chat", wait.seconds)
                await asyncio.sleep(wait.seconds)
            except Unreachable:
                unreachable += 1
                if unreachable > RETRIES:
                    raise
                await asyncio.sleep(2.0 ** (unreachable - 1))
            except Rejected:
                if not entities:
                    raise
                entities = ()
