"""Messages that are deleted on time; the ledger owes them, this carries them out."""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final

import msgspec

from ...privacy import describe
from ..api import Api, FloodWait, Reason, Rejected
from .gate import Gate
from .tasks import begin

log = logging.getLogger(__name__)

DELETABLE: Final = 48 * 3600.0
"""Seconds for which a bot may delete its message (core.telegram.org/bots/api#deletemessage)."""
DELETE_BEFORE: Final = DELETABLE - 600.0
"""Seconds after which a message is deleted at the latest, so that it still can be."""
AT_ONCE: Final = 4
PAUSE_LIMIT: Final = 300.0
"""Seconds between two tries of one deletion, at most; they begin at 1 and double."""
WAITING: Final = 50_000
"""Deletions that are kept in memory."""

Paid = Callable[[int, int], Awaitable[None]]


class _Owed(msgspec.Struct, frozen=True):
    """A deletion; times are the event loop's. After ``until`` Telegram refuses it."""

    chat_id: int
    message_id: int
    until: float
    tasks: asyncio.TaskGroup
    tries: int = 0


class Deletions:
    """Deletes messages when they are due; ``paid`` is told of each that needs no more work.

    ``stays`` is told the chat of each that can't be deleted.
    """

    def __init__(
        self, api: Api, gate: Gate, paid: Paid | None, stays: Callable[[int], None] | None = None
    ) -> None:
        self._api = api
        self._gate = gate
        self._paid = paid
        self._stays = stays
        self._waiting: list[tuple[float, int, _Owed]] = []
        self._number = count()
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, chat_id: int, message_id: int, due: float, tasks: asyncio.TaskGroup) -> None:
        """Delete a message at ``due`` (seconds since the epoch), or as soon as can be.

        How old the message is, only its deletion's time tells: one that was due two
        days ago is given up. Beyond :data:`WAITING` it is left to the ledger.
        """
        if self._closed or len(self._waiting) >= WAITING:
            log.warning(
                "message %d in chat %d is deleted after the next start", message_id, chat_id
            )
            return
        now = asyncio.get_running_loop().time()
        at = now + due - time.time()
        self._push(max(at, now), _Owed(chat_id, message_id, at + DELETABLE, tasks))
        self._arm()

    def close(self) -> None:
        """Delete nothing more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _push(self, at: float, owed: _Owed) -> None:
        heapq.heappush(self._waiting, (at, next(self._number), owed))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and self._running < AT_ONCE and not self._closed:
            self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._due)

    def _due(self) -> None:
        """Begin what is due. A timer, so that no task lives for hours."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._running < AT_ONCE and self._waiting[0][0] <= now:
            owed = heapq.heappop(self._waiting)[2]
            # Where the group has ended, the ledger keeps it for the next start.
            if begin(owed.tasks, self._carry_out(owed)) is not None:
                self._running += 1
        self._arm()

    async def _carry_out(self, owed: _Owed) -> None:
        try:
            again = await self._delete(owed)
        finally:
            self._running -= 1
        if again is not None:
            now = asyncio.get_running_loop().time()
            self._push(now + again, msgspec.structs.replace(owed, tries=owed.tries + 1))
        else:
            await self._settle(owed)
        self._arm()

    async def _settle(self, owed: _Owed) -> None:
        if self._paid is None:
            return
        try:
            await self._paid(owed.chat_id, owed.message_id)
        except Exception as error:  # noqa: BLE001 - books that fail must not stop deletions
            log.error("a deletion was not crossed out: %s", describe(error))

    async def _delete(self, owed: _Owed) -> float | None:
        """Seconds until the next try, None where there is nothing left to do."""
        if asyncio.get_running_loop().time() >= owed.until:
            self._give_up(owed, "too old")
            return None
        ticket = await self._gate.enter(owed.chat_id, chore=True)
        if ticket is None:
            return PAUSE_LIMIT
        try:
            await self._api.delete(owed.chat_id, owed.message_id)
        except FloodWait as wait:
            return max(wait.seconds, 1.0)
        except Rejected as refused:
            if refused.reason is not Reason.NOT_FOUND:
                self._give_up(owed, refused.reason)
        except Exception as error:  # noqa: BLE001 - one deletion must not end the edge
            log.debug("a message was not deleted yet: %s", type(error).__name__)
            return min(2.0**owed.tries, PAUSE_LIMIT)
        finally:
            self._gate.leave(ticket)
        return None

    def _give_up(self, owed: _Owed, why: str) -> None:
        log.warning(
            "message %d in chat %d can't be deleted: %s", owed.message_id, owed.chat_id, why
        )
        if self._stays is not None and why != Reason.BLOCKED:
            self._stays(owed.chat_id)
