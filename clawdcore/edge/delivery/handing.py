"""Hand out replies: several as one message, or one as several, or in place of an earlier one."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from ...broker import Send
from ...privacy import describe
from ..api import CallError, Reason, Rejected, Unreachable
from ..books import UNKNOWN
from .calling import Caller, Halted
from .composing import compose
from .deletions import DELETE_BEFORE, Deletions
from .known import Known
from .lane import Lane
from .merging import Part, merged
from .retrying import UNKNOWN_RETRIES
from .streams import Answers, Streams

log = logging.getLogger(__name__)

Sending = Callable[[Send, int], Awaitable[None]]
Owe = Callable[[int, int, float], Awaitable[None]]
Blocked = Callable[[Lane, Rejected], Awaitable[None]]


class Finish(Protocol):
    """Closes the books on one reply of a lane."""

    async def __call__(
        self, lane: Lane, send: Send, ids: tuple[int, ...] = (), error: str = ""
    ) -> None: ...


class Hands:
    """Sends what a lane has taken and tells ``finish`` what became of each reply.

    ``blocked`` is told when a chat can't be written to at all; it finishes what the
    lane has taken. The other callbacks are those of :class:`~.delivery.Delivery`.
    """

    def __init__(
        self,
        caller: Caller,
        known: Known,
        streams: Streams,
        deletions: Deletions,
        *,
        limit: int,
        sending: Sending | None,
        owe: Owe | None,
        finish: Finish,
        blocked: Blocked,
    ) -> None:
        self._caller = caller
        self._known = known
        self._streams = streams
        self._deletions = deletions
        self._limit = limit
        self._sending = sending
        self._owe = owe
        self._finish = finish
        self._blocked = blocked
        self._answers = Answers()

    async def merged(self, lane: Lane, parts: list[Part]) -> None:
        """Send several replies as one message; where that is refused, one by one."""
        floor = self._known.floor(lane.chat_id)
        for part in parts:
            await self._announce(part.send, floor)
        try:
            error = await self._together(lane, parts)
            if error == UNKNOWN:
                # It may have arrived: notices are never repeated, answers once.
                for part in parts:
                    if part.send.notice:
                        await self._finish(lane, part.send, error=UNKNOWN)
                parts = [part for part in parts if not part.send.notice]
                # A repeat that fails says nothing about the first.
                error = await self._together(lane, parts) and UNKNOWN if parts else ""
        except Rejected as refused:
            await self._blocked(lane, refused)
            return
        if error:
            for part in parts:
                await self._finish(lane, part.send, error=error)
        elif error is None:
            log.info("a merged message was refused; its %d parts go one by one", len(parts))
            for part in parts:
                if any(send is part.send for send in lane.current):
                    await self.alone(lane, part.send, announced=True)

    async def _together(self, lane: Lane, parts: list[Part]) -> str | None:
        """Send the parts as one message: "" if that went well, or its error.

        None where Telegram refuses the message, and may take the parts singly.

        Raises:
            Rejected: the chat can't be written to at all.
        """
        first = parts[0].send
        try:
            message_id = await self._caller.send(
                lane,
                first.target,
                merged(parts),
                preview=first.reply.preview,
                repeats=0,
                buttons=first.reply.buttons,
            )
        except Rejected as refused:
            if refused.reason is Reason.BLOCKED:
                raise
            return None
        except Unreachable as failure:
            return UNKNOWN if failure.sent else type(failure).__name__
        except CallError as failure:
            return type(failure).__name__
        for part in parts:
            self._answers.forget(lane.chat_id, part.send.target.reply_to)
            await self._finish(lane, part.send, (message_id,))
        return ""

    async def alone(self, lane: Lane, send: Send, *, announced: bool = False) -> None:
        """Send all messages of one reply; stops at the first that can't be sent."""
        ids: list[int] = []
        error = ""
        lane.unsure = False
        try:
            await self._say(lane, send, ids, announced=announced)
            if not ids:
                error = "empty"
        except Rejected as refused:
            error = Rejected.__name__
            if refused.reason is Reason.BLOCKED and not ids:
                await self._blocked(lane, refused)
                return
        except CallError as failure:
            unknown = isinstance(failure, Unreachable) and failure.sent
            error = UNKNOWN if unknown else type(failure).__name__
        except Halted:
            raise
        except Exception as failure:  # noqa: BLE001 - one send must not end the edge
            error = type(failure).__name__
            log.error("a reply to update %d failed: %s", send.id, describe(failure))
        await self._finish(lane, send, tuple(ids), error)

    async def _say(self, lane: Lane, send: Send, ids: list[int], *, announced: bool) -> None:
        """Put the ids of a reply's messages into ``ids``, one by one as they are sent."""
        pieces = compose(send.reply, self._limit)
        if not pieces:
            return
        target = send.target
        preview = send.reply.preview
        repeats = 0 if send.notice else UNKNOWN_RETRIES
        earlier = self._earlier(lane, send, len(pieces))
        if not announced:
            await self._announce(send, 0 if earlier else self._known.floor(lane.chat_id))
        # Where there are more pieces, the buttons stand under the last one.
        under = [()] * (len(pieces) - 1) + [send.reply.buttons]
        if earlier and await self._caller.edit(
            lane, target, earlier, pieces[0], preview=preview, buttons=under[0]
        ):
            await self._was_sent(lane, send, ids, earlier)
            target = msgspec.structs.replace(target, reply_to=0)
            pieces, under = pieces[1:], under[1:]
        for piece, buttons in zip(pieces, under, strict=True):
            message_id = await self._caller.send(
                lane, target, piece, preview=preview, repeats=repeats, buttons=buttons
            )
            await self._was_sent(lane, send, ids, message_id)
            target = msgspec.structs.replace(target, reply_to=0)
        if send.interim:
            return
        if len(ids) == 1:
            self._answers.add(lane.chat_id, send.target.reply_to, ids[0])
        else:
            self._answers.forget(lane.chat_id, send.target.reply_to)

    def _earlier(self, lane: Lane, send: Send, pieces: int) -> int:
        """The message of ours that this reply replaces, 0 for none."""
        if send.interim:
            return 0
        if send.streamed or send.notice:
            stream = self._streams.take(send.id)
            if stream:
                return stream
        if send.edited and pieces == 1:
            return self._answers.get(lane.chat_id, send.target.reply_to)
        return 0

    async def _was_sent(self, lane: Lane, send: Send, ids: list[int], message_id: int) -> None:
        ids.append(message_id)
        after = send.reply.delete_after
        if after <= 0:
            return
        due = time.time() + min(after, DELETE_BEFORE)
        if self._owe is not None:
            try:
                await self._owe(lane.chat_id, message_id, due)
            except Exception as error:  # noqa: BLE001 - what is owed is still deleted
                log.error("a deletion was not written down: %s", describe(error))
        self._deletions.add(lane.chat_id, message_id, due, lane.tasks)

    async def _announce(self, send: Send, floor: int) -> None:
        if self._sending is None:
            return
        try:
            await self._sending(send, floor)
        except Exception as error:  # noqa: BLE001 - books that fail must not silence the bot
            log.error("a send was not written down: %s", describe(error))
