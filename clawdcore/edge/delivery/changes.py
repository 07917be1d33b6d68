"""Changes of messages that are there: new text, other buttons, or away with them.

Best effort, at the chat's pace, in order for each message: while one waits, a later
one takes its place. Tried for about half a minute: they answer a press, and who
pressed will press again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import msgspec

from ...broker import DeleteMessage, EditMessage, Target
from ...messages import Reply
from ..api import Api, CallError, FloodWait, Reason, Rejected
from ..splitting import Piece
from .composing import compose
from .gate import Gate
from .schedule import Rank, rank_of
from .tasks import begin

log = logging.getLogger(__name__)

TRIES: Final = 5
"""Calls for one change, with pauses of 1, 2, 4 and 8 s between them."""
WAITING: Final = 1_000
"""Messages with a change that waits or is under way."""

Change = EditMessage | DeleteMessage
Place = tuple[int, int]
"""A chat and a message in it."""


class Changes:
    """Carries changes out, one task for each message that has any.

    ``limit`` is the longest message in UTF-16 units.
    """

    def __init__(self, api: Api, gate: Gate, *, limit: int) -> None:
        self._api = api
        self._gate = gate
        self._limit = limit
        self._waiting: dict[Place, Change] = {}
        self._running: set[Place] = set()
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, change: Change, tasks: asyncio.TaskGroup) -> None:
        """Carry a change out after the earlier ones of its message."""
        place = (change.chat_id, change.message_id)
        if self._closed:
            return
        if place in self._running:
            self._waiting[place] = later(self._waiting.get(place), change)
        elif len(self._running) >= WAITING:
            log.warning("a message was not changed: too many wait")
        else:
            self._waiting[place] = change
            if begin(tasks, self._run(place)) is None:
                del self._waiting[place]
                return
            self._running.add(place)
            self._idle.clear()

    async def flushed(self) -> None:
        """Until none waits."""
        await self._idle.wait()

    def close(self) -> None:
        """Change nothing more; calls under way take at most the API's timeout."""
        self._closed = True
        self._waiting.clear()

    async def _run(self, place: Place) -> None:
        try:
            while place in self._waiting:
                await self._carry_out(place)
        except Exception as error:  # noqa: BLE001 - one change must not end the edge
            log.error("a message was not changed: %s", type(error).__name__)
        finally:
            self._waiting.pop(place, None)
            self._running.discard(place)
            if not self._running:
                self._idle.set()

    async def _carry_out(self, place: Place) -> None:
        """Try what waits for a message until it succeeds, is refused, or was tried enough."""
        for number in range(TRIES):
            ticket = await self._gate.enter(place[0])
            change = self._waiting.pop(place, None)
            if ticket is None or change is None:
                if ticket is not None:
                    self._gate.leave(ticket)
                return
            try:
                await self._call(change)
            except FloodWait as wait:
                self._gate.flooded(place[0], wait.seconds)
            except Rejected as refused:
                if refused.reason not in (Reason.NOT_MODIFIED, Reason.NOT_FOUND):
                    log.info("a message can't be changed: %s", refused.reason)
                return
            except CallError:
                self._gate.pause(place[0], 2.0**number)
            else:
                self._gate.succeeded(place[0])
                return
            finally:
                self._gate.leave(ticket)
            if self._closed:
                return
            newer = self._waiting.get(place)
            self._waiting[place] = change if newer is None else later(change, newer)
        self._waiting.pop(place, None)
        log.info("a message was not changed: Telegram did not take it")

    async def _call(self, change: Change) -> None:
        chat_id, message_id = change.chat_id, change.message_id
        if isinstance(change, DeleteMessage):
            await self._api.delete(chat_id, message_id)
            return
        text, entities = self._said(change)
        if not text:
            await self._api.edit_buttons(chat_id, message_id, change.buttons)
            return
        target = Target(chat_id=chat_id, private=rank_of(chat_id) is Rank.PRIVATE)
        try:
            await self._api.edit(
                target, message_id, text, entities, preview=False, buttons=change.buttons
            )
        except Rejected as refused:
            if refused.reason is not Reason.OTHER or not entities:
                raise
            # Refused styles cost the styles, as for a reply.
            await self._api.edit(
                target, message_id, text, (), preview=False, buttons=change.buttons
            )

    def _said(self, change: EditMessage) -> Piece:
        """The new text, cut to one message; "" for none."""
        pieces = compose(Reply(text=change.text or "", format=change.format), self._limit)
        return pieces[0] if pieces else ("", ())


def later(first: Change | None, second: Change) -> Change:
    """What comes of two changes of one message, one after the other."""
    if isinstance(first, DeleteMessage):
        return first
    if isinstance(first, EditMessage) and isinstance(second, EditMessage) and second.text is None:
        return msgspec.structs.replace(second, text=first.text, format=first.format)
    return second
