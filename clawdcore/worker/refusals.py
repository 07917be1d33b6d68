"""Notices to those who were refused: the first of a chat at once, then one for several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

WINDOW: Final = 20.0
"""Seconds between two such notices in a chat: a group takes 20 messages a minute, and
answers need most of them."""


class _Batch:
    """Messages of one chat that one notice will speak for.

    Each waits for whether it is the one to tell (True), or was told for (False).
    """

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0.0
        self.waiting: dict[int, asyncio.Future[bool]] = {}

    def enter(self) -> tuple[int, asyncio.Future[bool]]:
        """One more message, its number and what it waits for."""
        self.count += 1
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.waiting[self.count] = future
        return self.count, future

    def speaks_for(self) -> int:
        """How many there are still to be told for."""
        return sum(not future.cancelled() for future in self.waiting.values())

    def choose(self) -> None:
        """Let the newest that is still there tell."""
        for future in reversed(self.waiting.values()):
            if not future.done():
                future.set_result(True)
                return

    def told(self) -> None:
        """All have been told for."""
        for future in self.waiting.values():
            if not future.done():
                future.set_result(False)


class _Chat:
    """A chat that had a notice within the window; ``next`` gathers what comes meanwhile."""

    def __init__(self, timer: asyncio.TimerHandle) -> None:
        self.timer = timer
        self.next: _Batch | None = None


class Refusals:
    """Who speaks for whom, chat by chat."""

    def __init__(self) -> None:
        self._chats: dict[int, _Chat] = {}
        self._hurry = False

    @asynccontextmanager
    async def spoken(self, chat: int, retry_after: float) -> AsyncIterator[tuple[int, float]]:
        """For how many messages of ``chat`` the caller tells, within the body, and the seconds.

        0: another has told for this one already. May wait for :data:`WINDOW`.
        """
        there = self._chats.get(chat)
        if there is None or self._hurry:
            self._open(chat)
            yield 1, retry_after
            return
        batch = there.next = there.next or _Batch()
        batch.longest = max(batch.longest, retry_after)
        number, turn = batch.enter()
        told = False
        try:
            if await turn:
                yield batch.speaks_for(), batch.longest
                told = True
        finally:
            del batch.waiting[number]
            if told:
                batch.told()
            elif not turn.cancelled() and turn.result():
                batch.choose()  # it did not come to it: nobody else must go untold for that
        if not told:
            yield 0, 0.0

    def hurry(self) -> None:
        """Tell all that is to be told now: the worker ends."""
        self._hurry = True
        for chat in list(self._chats):
            self._close(chat)

    def _open(self, chat: int) -> None:
        if self._hurry:
            return
        loop = asyncio.get_running_loop()
        self._chats[chat] = _Chat(loop.call_later(WINDOW, self._close, chat))

    def _close(self, chat: int) -> None:
        """The window is over: the newest speaks for all that came in it."""
        closed = self._chats.pop(chat)
        closed.timer.cancel()
        batch = closed.next
        if batch is not None:
            self._open(chat)
            batch.choose()
