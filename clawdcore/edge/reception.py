"""Take updates in: once each, durable before they are confirmed, as many as there is room for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from .books import Books
from .heads import Head, Heads
from .intake import Broken, Update
from .ledger import Ledger, Row, Verdict
from .room import Room
from .work import Held, Work

log = logging.getLogger(__name__)


class Reception:
    """The door. ``taken`` is told of each update that was accepted, before anybody gets it."""

    def __init__(
        self,
        *,
        heads: Heads,
        ledger: Ledger,
        work: Work,
        room: Room,
        books: Books,
        taken: Callable[[Held], None],
        clock: Callable[[], float],
    ) -> None:
        self._heads = heads
        self._ledger = ledger
        self._work = work
        self._room = room
        self._books = books
        self._taken = taken
        self._clock = clock
        self._arriving: dict[int, asyncio.Event] = {}
        self._entering = asyncio.Lock()

    async def take(self, pieces: Sequence[Update | Broken]) -> None:
        """Accept updates as they came; waits while there is no room.

        When this returns they may be confirmed to Telegram. Cancelled, none of
        ``pieces`` was accepted: whoever brought them will bring them again.
        """
        await self._none_arriving(pieces)
        fresh = self._claimed(pieces)
        try:
            await self._accept(fresh)
        finally:
            for update in fresh:
                self._arriving.pop(update.id).set()

    async def _none_arriving(self, pieces: Sequence[Update | Broken]) -> None:
        """Wait until no other call has any of these in its hands.

        Nothing is claimed meanwhile: of two calls that each had what the other
        waits for neither would ever go on.
        """
        ids = [piece.id for piece in pieces if isinstance(piece, Update)]
        while (other := next(filter(None, map(self._arriving.get, ids)), None)) is not None:
            await other.wait()

    def _claimed(self, pieces: Sequence[Update | Broken]) -> list[Update]:
        """Those that nobody brought before; until they are let in, others wait for them."""
        fresh: list[Update] = []
        for piece in pieces:
            if isinstance(piece, Broken):
                self._broken(piece)
            elif piece.id in self._arriving or piece.id in self._work:
                self._books.repeated += 1
            else:
                self._arriving[piece.id] = asyncio.Event()
                fresh.append(piece)
        return fresh

    def _broken(self, piece: Broken) -> None:
        self._books.broken += 1
        which = "without id" if piece.id is None else piece.id
        log.warning("update %s skipped: %s (%d so far)", which, piece.reason, self._books.broken)

    async def _accept(self, updates: list[Update]) -> None:
        roomed = 0
        kept = False
        try:
            async with self._entering:  # or two that each have half of the room wait forever
                for update in updates:
                    await self._room.take(len(update.body))
                    roomed += 1
            now = self._clock()
            heads = [self._heads.read(update.body) for update in updates]
            rows = [_row(update, head, now) for update, head in zip(updates, heads, strict=True)]
            verdicts = await self._ledger.receive(rows) if rows else []
            kept = True
        finally:
            if not kept:
                for update in updates[:roomed]:
                    self._room.give_back(len(update.body))
        for update, head, verdict in zip(updates, heads, verdicts, strict=True):
            if verdict is Verdict.KNOWN:
                self._books.repeated += 1
                self._room.give_back(len(update.body))
            else:
                self._books.accepted += 1
                held = Held(id=update.id, head=head, body=update.body, size=len(update.body))
                self._taken(held)


def _row(update: Update, head: Head, now: float) -> Row:
    return Row(
        id=update.id,
        chat=head.chat,
        message=head.message,
        user=head.user,
        topic=head.topic or 0,
        language=head.language,
        addressed=head.wanted,
        private=head.private,
        at=int(now),
    )
