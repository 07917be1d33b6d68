"""The books on replies: each that was put is finished exactly once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from ...broker import Send
from ...messages import Receipt
from ...privacy import describe
from .tasks import begin

log = logging.getLogger(__name__)

Finished = Callable[[Send, Receipt], Coroutine[Any, Any, None]]


class Finisher:
    """Tells ``finished`` what became of each reply; ``quiet`` is called when it has told all."""

    def __init__(self, finished: Finished, quiet: Callable[[], None]) -> None:
        self._finished = finished
        self._quiet = quiet
        self._undone: deque[tuple[Send, str]] = deque()
        self._undoing: asyncio.Task[None] | None = None
        self.waiting = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is refused that was not told yet."""
        return not self._undone and self._undoing is None

    async def finish(
        self, send: Send, chat_id: int, ids: tuple[int, ...] = (), error: str = ""
    ) -> None:
        """A reply went out under these ids, or why it did not."""
        if error:
            log.warning("a reply to update %d was not delivered: %s", send.id, error)
        self.waiting -= 1
        receipt = Receipt(
            update_id=send.id, chat_id=chat_id, message_ids=ids, error=error, at=time.time()
        )
        try:
            await self._finished(send, receipt)
        except Exception as failure:  # noqa: BLE001 - the next reply must go out all the same
            log.error("a receipt was not taken: %s", describe(failure))

    def undo(self, send: Send, error: str, tasks: asyncio.TaskGroup) -> None:
        """Finish a reply that is not sent; in a task, since the edge must go on reading."""
        self._undone.append((send, error))
        if self._undoing is None or self._undoing.done():
            self._undoing = begin(tasks, self.drain())

    async def drain(self) -> None:
        """Finish all that is not sent."""
        while self._undone:
            send, error = self._undone.popleft()
            await self.finish(send, send.target.chat_id, error=error)
        self._undoing = None
        self._quiet()

    async def close(self) -> None:
        """As :meth:`drain`, also where the task that did it was cancelled."""
        if self._undoing is not None:
            await asyncio.wait({self._undoing})
        await self.drain()

    def leave(self, send: Send, error: str) -> None:
        """Have the next :meth:`drain` finish a reply."""
        self._undone.append((send, error))
