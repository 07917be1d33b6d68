"""Take updates by long polling; the offset confirms what was accepted before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from ..errors import SecondPoller, TokenRefused
from .api import Api, CallError, Conflict, FloodWait, Unreachable
from .intake import Broken, NoAnswer, Update, read_updates

log = logging.getLogger(__name__)

BATCH: Final = 100
"""Updates per call (1 to 100, core.telegram.org/bots/api#getupdates)."""
POLL_SECONDS: Final = 30
LONGEST_PAUSE: Final = 30.0
"""Seconds between tries while Telegram can't be reached."""
SURELY_SENT: Final = 1.0
"""Seconds after which a poll that was then given up has reached the server."""
CONFLICTS_AT_START: Final = 3
"""Conflicts before the first success that mean somebody else polls."""
CONFLICTS_TOLD: Final = 3
"""Conflicts in a row, later, of which the owner is told: one may be our own earlier poll."""
REFUSALS: Final = 3
"""Refusals in a row that mean the token was revoked: one may be a proxy's."""

Accept = Callable[[Sequence[Update | Broken]], Awaitable[None]]


async def _nothing(ids: Sequence[int]) -> None:
    """Nobody wants to know what an answer held."""


class Poller:
    """Polls until it is cancelled.

    ``accept`` is awaited for each answer's updates, so that a full edge stops
    asking; what is not asked for, Telegram keeps for 24 hours. ``confirmed`` is
    told the ids that Telegram no longer holds, ``answered`` those that an answer
    held, once they are accepted; ``tell`` what the owner should know.
    """

    def __init__(
        self,
        api: Api,
        accept: Accept,
        *,
        confirmed: Callable[[Iterable[int]], None] = lambda ids: None,
        answered: Callable[[Sequence[int]], Awaitable[None]] = _nothing,
        tell: Callable[[str], None] = lambda kind: None,
        poll_seconds: int = POLL_SECONDS,
    ) -> None:
        self._api = api
        self._accept = accept
        self._confirmed = confirmed
        self._answered = answered
        self._tell = tell
        self._seconds = poll_seconds
        self._unconfirmed: list[int] = []
        self._offset = 0
        self._asked = (0, 0.0)
        self._failures = 0
        self._conflicts = 0
        self._refusals = 0
        self._ever = False
        self._answers = 0

    async def run(self) -> None:
        """Ask, hand on, and confirm with the next asking.

        Raises:
            SecondPoller: from the start, somebody else polls with this token.
            TokenRefused: the token was revoked.
        """
        loop = asyncio.get_running_loop()
        while True:
            self._asked = (self._offset, loop.time())
            try:
                # The first answer says at once whether anything waits.
                seconds = self._seconds if self._answers else 0
                body = await self._api.poll(self._offset, limit=BATCH, timeout=seconds)
                pieces = read_updates(body)
            except Conflict:
                await self._conflict()
                continue
            except TokenRefused:
                self._refusals += 1
                if self._refusals >= REFUSALS:
                    raise
                await self._pause(Unreachable("the token was refused", sent=True))
                continue
            except NoAnswer as error:
                await self._pause(Unreachable(str(error), sent=True))
                continue
            except CallError as error:
                self._refusals = 0
                await self._pause(error)
                continue
            if self._failures:
                log.info("Telegram answers again")
            self._answers += 1
            # A short poll succeeds beside another poller's long one.
            self._ever = self._ever or bool(seconds or pieces)
            self._failures = self._refusals = 0
            self._conflicts = 0 if seconds else self._conflicts
            self._confirmed(self._unconfirmed)
            await self._accept(pieces)
            self._unconfirmed = [piece.id for piece in pieces if piece.id is not None]
            moved = [self._step(piece) for piece in pieces]
            await self._answered(self._unconfirmed)
            if pieces and not any(moved):
                await asyncio.sleep(LONGEST_PAUSE)

    async def confirm(self) -> None:
        """Tell Telegram what was accepted, so that a later start doesn't get it again."""
        offset, since = self._asked
        waited = asyncio.get_running_loop().time() - since
        if not self._offset or (offset == self._offset and waited > SURELY_SENT):
            return
        try:
            await self._api.poll(self._offset, limit=1, timeout=0)
        except (CallError, TokenRefused) as error:
            log.warning("the last updates may come again: %s", type(error).__name__)
        else:
            self._confirmed(self._unconfirmed)

    def _step(self, piece: Update | Broken) -> bool:
        """Move the offset past an accepted piece; returns whether that could be done."""
        if piece.id is not None:
            # Never the highest so far: Telegram may begin again with lower ids.
            self._offset = piece.id + 1
            return True
        if self._offset:
            # Ids rise one by one: what hides its id sits at the next one.
            self._offset += 1
            return True
        return False

    async def _conflict(self) -> None:
        self._conflicts += 1
        if not self._ever and self._conflicts >= CONFLICTS_AT_START:
            raise SecondPoller(
                "another process polls Telegram with this token (409 Conflict).",
                fix="Stop it, or give this bot a token of its own from @BotFather.",
            )
        log.warning("another process polls with this token (409); trying again")
        if self._conflicts == CONFLICTS_TOLD:
            self._tell("conflict")
        await asyncio.sleep(min(2.0 ** (self._conflicts - 1), LONGEST_PAUSE))

    async def _pause(self, error: CallError) -> None:
        self._failures += 1
        wait = min(2.0 ** (self._failures - 1), LONGEST_PAUSE)
        if isinstance(error, FloodWait):
            wait = max(wait, error.seconds)
        log.warning("Telegram can't be polled (%s); next try in %g s", error, wait)
        await asyncio.sleep(wait)
