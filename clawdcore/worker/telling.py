"""Messages to the owner on their way out: queued, held back, told when they may be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from ..broker import Closed, Port, Rests, Send, Target, ToEdge, ToWorker
from ..messages import Reply
from . import notices
from .owner import Notes, Owner

log = logging.getLogger(__name__)

WAITING: Final = 32
"""Messages to the owner that wait for the edge."""


class Telling:
    """Tells the owner, if there is one."""

    def __init__(
        self, port: Port[ToEdge, ToWorker], owner: Owner, *, clock: Callable[[], float]
    ) -> None:
        self._port = port
        self._owner = owner
        self._clock = clock
        self._notes = Notes()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._outbox: asyncio.Queue[Send | Rests] = asyncio.Queue(maxsize=WAITING)

    def tell(self, kind: str, subject: str) -> None:
        """Queue a message, if it may be sent now; ``kind`` as in :func:`.notices.to_owner`."""
        if not self._owner.id:
            return
        if not self._notes.allows(kind, subject, self._clock()):
            self._tell_later(subject)
            return
        words = notices.to_owner(kind, subject, self._owner.language)
        target = Target(chat_id=self._owner.id)
        try:
            self._outbox.put_nowait(Send(0, target, Reply(text=words), notice=True))
        except asyncio.QueueFull:
            log.warning("the owner was not told (%s): too much to tell", kind)

    def rested(self, plugin: str, seconds: float) -> None:
        """Tell the edge, and the owner, that ``plugin`` rests from now on."""
        try:
            self._outbox.put_nowait(Rests(plugin, seconds))
        except asyncio.QueueFull:
            log.warning("the edge was not told that a plugin rests: too much to tell")
        self.tell("resting", plugin)

    async def run(self) -> None:
        """Hand over what is queued, until cancelled or the edge is gone."""
        try:
            while True:
                await self._port.send(await self._outbox.get())
        except Closed:
            log.debug("the edge is gone")

    def stop(self) -> None:
        """Hold nothing back any more: it is not told at all."""
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()

    def _tell_later(self, subject: str) -> None:
        """Tell trouble that may not be told yet when it may, if there still is any."""
        wait = self._notes.held(subject, self._clock())
        if wait is not None and subject not in self._later:
            loop = asyncio.get_running_loop()
            self._later[subject] = loop.call_later(wait, self._tell_held, subject)

    def _tell_held(self, subject: str) -> None:
        del self._later[subject]
        if self._notes.held(subject, self._clock()) is not None:
            self.tell("degraded", subject)
