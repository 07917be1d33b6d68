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
    """Messages of one chat that one notice will speak for."""

    def __init__(self) -> None:
        self.members = 0
        self.gone: set[int] = set()
        self.longest = 0.0
        self.speaker: int | None = None
        self.speaks_for = 0
        self.chosen = asyncio.Event()
        self.told = asyncio.Event()


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
        mine = batch.members
        batch.members += 1
        batch.longest = max(batch.longest, retry_after)
        try:
            await batch.chosen.wait()
            if mine == batch.speaker:
                yield batch.speaks_for, batch.longest
                return
        finally:
            batch.gone.add(mine)
            if mine == batch.speaker:
                batch.told.set()
        await batch.told.wait()
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
            here = set(range(batch.members)) - batch.gone
            batch.speaker, batch.speaks_for = max(here, default=None), len(here)
            batch.chosen.set()
