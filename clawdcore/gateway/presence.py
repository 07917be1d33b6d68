"""Whether the caller is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Final

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

HANGUP: Final = "clawdbot.hangup"
"""The ASGI extension under which a connection offers its :class:`Hangup`."""


class Gone(Exception):
    """The caller hung up."""


class Hangup:
    """A connection's end, for those who want to be told without waiting in a task."""

    __slots__ = ("_happened", "_listeners")

    def __init__(self) -> None:
        self._happened = False
        self._listeners: set[Callable[[], None]] = set()

    def listen(self, told: Callable[[], None]) -> None:
        """Call ``told`` when it happens; at once where it has happened."""
        if self._happened:
            told()
        else:
            self._listeners.add(told)

    def forget(self, told: Callable[[], None]) -> None:
        """Don't call it any more."""
        self._listeners.discard(told)

    def happen(self) -> None:
        """The connection has ended."""
        self._happened = True
        for told in tuple(self._listeners):
            told()


class Presence:
    """Cancels the body of an ``async with`` when the caller hangs up, and raises :class:`Gone`.

    It is told by ``hangup``; where there is none, a task waits for ASGI's own event.
    """

    __slots__ = ("_gone", "_hangup", "_main", "_receive", "_watcher")

    def __init__(self, receive: Receive, hangup: Hangup | None = None) -> None:
        self._receive = receive
        self._hangup = hangup
        self._gone = False
        self._main: asyncio.Task[Any] | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._main = asyncio.current_task()
        if self._hangup is not None:
            self._hangup.listen(self._leave)
        else:
            self._watcher = asyncio.create_task(self._watch())

    def _leave(self) -> None:
        self._gone = True
        if self._main is not None:
            self._main.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._hangup is not None:
            self._hangup.forget(self._leave)
        if self._watcher is not None:
            self._watcher.cancel()
        if self._gone and self._main is not None:
            ours = self._main.uncancel() == 0
            if ours and (error is None or isinstance(error, asyncio.CancelledError)):
                raise Gone from None
        if self._watcher is not None:
            await asyncio.sleep(0)
            if not self._watcher.done():
                await asyncio.wait({self._watcher})
