"""Answers to pressed buttons: at once, outside the pace of messages, best effort.

Telegram's limits are on messages; these are none, and to wait for a turn in a flood
would make them useless: the presser looks at the mark on the button meanwhile, and
after some seconds Telegram takes no answer any more. What fails is let go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from ...broker import AnswerPress
from ..api import Api
from .tasks import begin

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Calls under way, of the 32 connections that all calls share."""
WAITING: Final = 500
"""Answers that wait; beyond, the oldest is let go."""
FRESH: Final = 15.0
"""Seconds after which an answer is worth no call any more."""


class Toasts:
    """Sends them, :data:`AT_ONCE` at a time."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._waiting: deque[tuple[float, AnswerPress]] = deque(maxlen=WAITING)
        self._running = 0
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, record: AnswerPress, tasks: asyncio.TaskGroup) -> None:
        """Send an answer as soon as a call is free."""
        if self._closed:
            return
        self._waiting.append((asyncio.get_running_loop().time(), record))
        if self._running >= AT_ONCE:
            return
        if begin(tasks, self._run()) is not None:
            self._running += 1
            self._idle.clear()

    async def flushed(self) -> None:
        """Until none waits."""
        await self._idle.wait()

    def close(self) -> None:
        """Send no more; calls under way take at most the API's timeout."""
        self._closed = True
        self._waiting.clear()

    async def _run(self) -> None:
        try:
            while self._waiting:
                since, record = self._waiting.popleft()
                if asyncio.get_running_loop().time() - since < FRESH:
                    await self._one(record)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _one(self, record: AnswerPress) -> None:
        try:
            await self._api.answer(record.query, record.text, alert=record.alert)
        except Exception as error:  # noqa: BLE001 - one answer must not end the edge
            log.debug("a press was not answered: %s", type(error).__name__)
