"""One message to Telegram: each call with a ticket, tried again as often as is right."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec

from ...broker import Target
from ...messages import Keyboard
from ..api import Api, FloodWait, Reason, Rejected, Unreachable
from ..markup import Entity
from ..splitting import Piece
from .gate import Gate
from .known import Known
from .lane import Lane
from .retrying import Tries
from .schedule import Ticket
from .tracing import trace

log = logging.getLogger(__name__)

ENDLESS: Final = 1_000_000
"""Repeats of what may be repeated: an edit that is made twice is made once."""
T = TypeVar("T")


class Halted(Exception):
    """The chat was dropped, or delivery ends, before the message went out."""


class Caller:
    """Sends and edits in the place of a lane."""

    def __init__(self, api: Api, gate: Gate, known: Known) -> None:
        self._api = api
        self._gate = gate
        self._known = known

    async def send(
        self,
        lane: Lane,
        target: Target,
        piece: Piece,
        *,
        preview: bool,
        repeats: int,
        buttons: Keyboard = (),
    ) -> int:
        """Send a message and return its id; its outcome is traced where it is unknown.

        ``repeats`` is how often it is sent again that may have arrived. A target that
        is gone costs the quote, entities that are refused cost the style; what is refused
        without them costs the buttons.

        Raises:
            Unreachable: given up; ``sent`` says whether it may have arrived.
            CallError: Telegram said no.
            Halted: the lane is to send nothing more.
        """
        text, entities = piece
        tries = Tries(repeats)
        floor = 0

        async def call() -> int:
            nonlocal floor
            if not tries.unknown:
                floor = self._known.floor(lane.chat_id)
            here = msgspec.structs.replace(target, chat_id=lane.chat_id)
            return await self._api.send(here, text, entities, preview=preview, buttons=buttons)

        while True:
            try:
                message_id = await self._once(lane, call)
            except FloodWait as wait:
                self._flooded(lane, tries, wait)
            except Unreachable as failure:
                message_id = await self._trace(lane, floor, failure, buttons) or 0
                if message_id:
                    return message_id
                self._failed(lane, tries, failure, unknown=lane.unsure)
            except Rejected as refused:
                if refused.reason is Reason.OTHER and buttons and not entities:
                    log.warning("buttons were refused, and are left out")
                    buttons = ()
                else:
                    target, entities = _revised(lane, refused, target, entities)
            else:
                self._known.note_own(lane.chat_id, message_id)
                return message_id

    async def edit(
        self,
        lane: Lane,
        target: Target,
        message_id: int,
        piece: Piece,
        *,
        preview: bool,
        buttons: Keyboard = (),
    ) -> bool:
        """Make a message of ours say something else; False where it can't be edited.

        Raises: as :meth:`send`.
        """
        text, entities = piece
        tries = Tries(ENDLESS)

        async def call() -> None:
            await self._api.edit(
                target, message_id, text, entities, preview=preview, buttons=buttons
            )

        while True:
            try:
                await self._once(lane, call)
            except FloodWait as wait:
                self._flooded(lane, tries, wait)
            except Unreachable as failure:
                lane.unsure = lane.unsure or failure.sent
                self._failed(lane, tries, failure, unknown=failure.sent)
            except Rejected as refused:
                if refused.reason is Reason.NOT_MODIFIED:
                    return True
                if refused.reason is Reason.BLOCKED:
                    raise
                if refused.reason is Reason.MIGRATED:
                    _move(lane, refused)
                if refused.reason is not Reason.OTHER or not entities:
                    return False
                entities = ()
            else:
                return True

    async def _once(self, lane: Lane, call: Callable[[], Awaitable[T]]) -> T:
        """One call with a ticket: the one that the lane has, or the next it gets."""
        ticket = await self._ticket(lane)
        try:
            value = await call()
        except asyncio.CancelledError:
            lane.unsure = True
            raise
        finally:
            self._gate.leave(ticket)
        self._gate.succeeded(lane.chat_id)
        return value

    async def _ticket(self, lane: Lane) -> Ticket:
        ticket, lane.ticket = lane.ticket, None
        if ticket is None and not lane.dropped:
            ticket = await self._gate.enter(lane.chat_id)
        if ticket is None:
            raise Halted
        if lane.dropped:
            self._gate.leave(ticket)
            raise Halted
        return ticket

    async def _trace(
        self, lane: Lane, floor: int, failure: Unreachable, buttons: Keyboard
    ) -> int | None:
        """As :func:`trace`; the lane is unsure unless the answer is sure."""
        lane.unsure = failure.sent
        if not failure.sent:
            return 0
        found = await trace(
            self._api, self._gate, self._known, lane.chat_id, floor, buttons=buttons
        )
        lane.unsure = found is None
        if found:
            log.info("a message whose sending was not confirmed has arrived")
            self._known.note_own(lane.chat_id, found)
        return found

    def _flooded(self, lane: Lane, tries: Tries, wait: FloodWait) -> None:
        log.info("Telegram asks for a pause of %g s in one chat", wait.seconds)
        self._gate.flooded(lane.chat_id, wait.seconds)
        if not tries.after_flood():
            raise wait

    def _failed(self, lane: Lane, tries: Tries, failure: Unreachable, *, unknown: bool) -> None:
        """Pause before the next try; raises when there is none."""
        now = asyncio.get_running_loop().time()
        pause = tries.after_failure(now, unknown=unknown)
        lane.unsure = tries.unknown > 0
        if pause is None:
            if lane.unsure:
                self._known.doubt(lane.chat_id)
            raise Unreachable(str(failure), sent=lane.unsure)
        self._gate.pause(lane.chat_id, pause)


def _move(lane: Lane, refused: Rejected) -> None:
    if not refused.moved_to or refused.moved_to == lane.chat_id:
        raise refused
    lane.chat_id = refused.moved_to


def _revised(
    lane: Lane, refused: Rejected, target: Target, entities: tuple[Entity, ...]
) -> tuple[Target, tuple[Entity, ...]]:
    """What to send after a refusal: to the chat's new id, without quote, or without style.

    Raises:
        Rejected: nothing is left to change.
    """
    match refused.reason:
        case Reason.MIGRATED:
            _move(lane, refused)
            # A message of the group has another id in the supergroup.
            return msgspec.structs.replace(target, reply_to=0), entities
        case Reason.NOT_FOUND if target.reply_to:
            return msgspec.structs.replace(target, reply_to=0), entities
        case Reason.OTHER if entities:
            return target, ()
        case _:
            raise refused
