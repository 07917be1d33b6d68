"""Show answers while they are written: drafts in private chats, edits in groups. Best effort."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import Final

from ...broker import Draft
from ..api import Api, FloodWait, Rejected, Unreachable
from ..splitting import Piece, split
from .gate import Gate
from .known import Known
from .lane import Lane
from .streams import DRAFT_PAUSE, EDIT_PAUSE, FIRST_UNITS, Stream, Streams
from .tracing import trace

log = logging.getLogger(__name__)


QUIET: Final = 1_000
"""Chats that are remembered for having refused drafts (429)."""


class Drafter:
    """Shows what lanes have to show, if there is room; what fails is let go."""

    def __init__(self, api: Api, gate: Gate, known: Known, streams: Streams, *, limit: int) -> None:
        self._api = api
        self._gate = gate
        self._known = known
        self._streams = streams
        self._limit = limit
        self._quiet_until: OrderedDict[int, float] = OrderedDict()

    def pause(self, lane: Lane) -> float:
        """Seconds until the lane may show something, below 0 for any time."""
        now = asyncio.get_running_loop().time()
        at = lane.drafted_at + DRAFT_PAUSE
        streams = [self._streams.get(update) for update in lane.drafts]
        if streams and all(stream is not None for stream in streams):
            at = max(at, min(stream.at for stream in streams if stream) + EDIT_PAUSE)
        return at - now

    async def show(self, lane: Lane) -> None:
        """Show one of the lane's drafts, the one that was shown longest ago."""
        now = asyncio.get_running_loop().time()
        draft = min(lane.drafts.values(), key=self._shown_at)
        del lane.drafts[draft.id]
        lane.drafted_at = now
        try:
            if draft.target.private:
                await self._private(draft)
            else:
                await self._group(lane, draft, now)
        except Exception as error:  # noqa: BLE001 - one draft must not end the edge
            log.debug("a draft was not shown: %s", type(error).__name__)

    def _shown_at(self, draft: Draft) -> float:
        stream = self._streams.get(draft.id)
        return float("-inf") if stream is None else stream.at

    async def _private(self, draft: Draft) -> None:
        pieces = split(draft.text, limit=self._limit)
        if not pieces:
            return
        chat_id = draft.target.chat_id
        now = asyncio.get_running_loop().time()
        if self._quiet_until.get(chat_id, now) > now:
            return
        ticket = self._gate.try_enter(chat_id, counts=False)
        if ticket is None:
            return
        try:
            await self._api.draft(draft.target, draft.id or 1, pieces[-1][0])
        except FloodWait as wait:
            self._quiet_until[chat_id] = now + wait.seconds
            self._quiet_until.move_to_end(chat_id)
            if len(self._quiet_until) > QUIET:
                self._quiet_until.popitem(last=False)
        finally:
            self._gate.leave(ticket)

    async def _group(self, lane: Lane, draft: Draft, now: float) -> None:
        stream = self._streams.get(draft.id)
        if stream is None and len(draft.text) < FIRST_UNITS:
            return
        pieces = split(draft.text, limit=self._limit)
        if not pieces:
            return
        text = pieces[0][0]
        if stream is not None and (stream.lost or stream.text == text):
            return
        if lane.chat_id != draft.target.chat_id:
            return
        ticket = self._gate.try_enter(lane.chat_id, counts=True)
        if ticket is None:
            return
        try:
            if stream is None:
                await self._begin(draft, (text, ()), now)
            else:
                stream.at = now
                await self._api.edit(draft.target, stream.message_id, text, (), preview=False)
                stream.text = text
        except FloodWait as wait:
            self._gate.flooded(lane.chat_id, wait.seconds)
        finally:
            self._gate.leave(ticket)

    async def _begin(self, draft: Draft, piece: Piece, now: float) -> None:
        chat_id = draft.target.chat_id
        floor = self._known.floor(chat_id)
        found: int | None
        try:
            found = await self._api.send(draft.target, piece[0], piece[1], preview=False)
        except Unreachable as failure:
            if not failure.sent:
                raise
            # What may stand there half-written must be found, or the answer comes twice.
            found = await trace(self._api, self._gate, self._known, chat_id, floor)
            if found is None:
                self._known.doubt(chat_id)
        except Rejected:
            self._streams.add(draft.id, Stream(0, "", now, lost=True))
            raise
        if found:
            self._known.note_own(chat_id, found)
        if found != 0:
            self._streams.add(draft.id, Stream(found or 0, piece[0], now, lost=not found))
