"""Place in line: whoever waits long for a model is told, and may go on waiting or give up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from ..broker import Closed, DeleteMessage, Port, Send, ToEdge, ToWorker
from ..hooks.registration import ButtonEntry
from ..messages import Button, Edit, Keyboard, Press, Receipt, Reply, Toast
from ..privacy import describe
from ..texts import translator
from . import notices
from .builtin import CORE
from .dispatch import Job
from .guard import Tasks

log = logging.getLogger(__name__)

AFTER: Final = 6.0
"""Seconds in line before somebody is told; who waits less needs no words."""
LEAST: Final = 4.0
"""Seconds that are still to come; for less it isn't worth a message."""
GROUP_PAUSE: Final = 30.0
"""Seconds between two such messages in a group, whose answers need the room."""
NAME: Final = "line"


class _Wait(msgspec.Struct, eq=False):
    """One message under way, and what was said of its place."""

    job: Job
    task: asyncio.Task[Any]
    timer: asyncio.TimerHandle
    told: bool = False
    message: int = 0
    over: bool = False


class Waiting:
    """All messages under way that may be told their place."""

    def __init__(self, port: Port[ToEdge, ToWorker]) -> None:
        self._port = port
        self._tasks = Tasks(lambda error: log.error("a place was not told: %s", describe(error)))
        self._waits: dict[int, _Wait] = {}
        self._groups: dict[int, float] = {}

    def begin(self, update: int, job: Job, task: asyncio.Task[Any]) -> None:
        """A message is under way, in ``task``."""
        if job.addressed and job.press is None:
            timer = asyncio.get_running_loop().call_later(AFTER, self._look, update)
            self._waits[update] = _Wait(job, task, timer)

    async def end(self, update: int) -> None:
        """The message has its outcome: its place is of no interest any more."""
        wait = self._waits.get(update)
        if wait is None:
            return
        wait.over = True
        wait.timer.cancel()
        if not wait.told:
            del self._waits[update]
        elif wait.message:
            await self._take_back(update, wait)

    def delivered(self, receipt: Receipt) -> None:
        """A reply has arrived; it may be what told somebody their place."""
        wait = self._waits.get(receipt.update_id)
        if wait is None or not wait.told or wait.message:
            return
        if not receipt.message_ids:
            wait.told = False
            if wait.over:
                del self._waits[receipt.update_id]
            return
        wait.message = receipt.message_ids[0]
        if wait.over:
            self._start(self._take_back(receipt.update_id, wait))

    def entry(self) -> ButtonEntry:
        """What the buttons below such a message do."""
        return ButtonEntry(CORE, NAME, self._pressed)

    async def drained(self) -> None:
        """Until nothing is being said."""
        await self._tasks.wait()

    async def stop(self) -> None:
        """Tell nobody any more."""
        for wait in self._waits.values():
            wait.timer.cancel()
        self._waits.clear()
        await self._tasks.stop()

    def _look(self, update: int) -> None:
        """It has been under way for a while: if it stands in line, say so."""
        wait = self._waits[update]
        place = wait.job.origin.place()
        target = wait.job.target
        if place is None or place[1] < LEAST or not (target.private or self._may(target.chat_id)):
            loop = asyncio.get_running_loop()
            wait.timer = loop.call_later(AFTER, self._look, update)
            return
        wait.told = True
        self._start(self._tell(update, wait.job, place))

    def _may(self, chat: int) -> bool:
        now = asyncio.get_running_loop().time()
        self._groups = {each: at for each, at in self._groups.items() if now - at < GROUP_PAUSE}
        if chat in self._groups:
            return False
        self._groups[chat] = now
        return True

    async def _tell(self, update: int, job: Job, place: tuple[int, float]) -> None:
        language = job.message.sender.language
        reply = Reply(
            text=notices.in_line(*place, language),
            buttons=keyboard(update, language),
            preview=False,
        )
        await self._port.send(
            Send(
                update,
                job.target,
                reply,
                notice=True,
                asker=job.message.sender.id,
                name=job.message.sender.name,
                interim=True,
            )
        )

    async def _take_back(self, update: int, wait: _Wait) -> None:
        del self._waits[update]
        await self._port.send(DeleteMessage(wait.job.target.chat_id, wait.message))

    async def _pressed(self, press: Press) -> Any:
        action, _, number = press.data.partition(":")
        wait = self._waits.get(int(number)) if number.isdecimal() else None
        _ = translator(press.language)
        if wait is None or wait.over:
            return Toast(_("This button no longer works."))
        if press.sender.id != wait.job.message.sender.id:
            return Toast(_("Only the one who asked can do that."))
        if action == "cancel":
            wait.told = False  # the message stays, and says what became of it
            wait.job.dropped = True
            wait.task.cancel()
            return Toast(_("Cancelled.")), Edit(_("Cancelled."))
        place = wait.job.origin.place()
        if place is None:
            return Toast(_("It is your turn now."))
        words = notices.in_line(*place, press.language)
        return Toast(words), Edit(words, keyboard(int(number), press.language))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(_while_open(work))


async def _while_open(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Closed:
        log.debug("the edge is gone")


def keyboard(update: int, language: str) -> Keyboard:
    """*Wait* and *cancel*."""
    _ = translator(language)
    return (
        (
            Button(_("Wait"), NAME, f"wait:{update}", plugin=CORE),
            Button(_("Cancel"), NAME, f"cancel:{update}", plugin=CORE),
        ),
    )
