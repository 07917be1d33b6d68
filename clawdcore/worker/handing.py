"""Hand an answer over: after everything that the same person asked before, then ``Done``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from ..broker import Done, Outcome, Port, Send, ToEdge, ToWorker
from ..errors import Overloaded
from ..messages import Reply
from . import notices, pressing
from .dispatch import Job
from .plugins import Plugins
from .refusals import Refusals
from .results import encodable
from .streaming import ANSWER_LIMIT

ORDER_GRACE: Final = 5.0
"""Seconds, beyond a message's own time, that an answer waits for an earlier one's."""


class Handing:
    """Hands answers to the edge. ``counted`` is told each outcome."""

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        *,
        plugins: Plugins,
        total_timeout: float,
        counted: Callable[[Outcome], None],
    ) -> None:
        self._port = port
        self._plugins = plugins
        self._total = total_timeout
        self._counted = counted
        self._refusals = Refusals()

    def hurry(self) -> None:
        """Tell now who is still to be told that there is no room."""
        self._refusals.hurry()

    async def finish(self, update: int, job: Job, reply: Reply | None, outcome: Outcome) -> None:
        """Hand over what there is, then say that this was all."""
        if job.press is not None:
            reply = await pressing.answer(self._port, update, job, reply, outcome)
        if job.refused is not None:
            await self._refuse(update, job, job.refused)
        elif reply is not None:
            await self.send(update, job, reply, outcome)
        for each in (update, *job.also):
            await self._port.send(Done(each, outcome))
            self._counted(outcome)

    async def _refuse(self, update: int, job: Job, error: Overloaded) -> None:
        """Tell that it gets no answer; one notice may speak for several messages of a chat."""
        job.turn.leave()  # whoever waits to be told must not keep later answers waiting
        message = job.message
        async with self._refusals.spoken(message.chat.id, error.retry_after) as (count, seconds):
            if count:
                words = notices.refused(count, seconds, message.sender.language)
                await self.send(update, job, Reply(text=words), Outcome.NOTICED)

    async def send(self, update: int, job: Job, reply: Reply, outcome: Outcome) -> None:
        """Send, after everything that the same person asked before."""
        notice = outcome is Outcome.NOTICED and not job.written()
        reply = await self._plugins.prepare(reply, job.message, notice=notice)
        if not reply.text.isascii():
            reply = msgspec.structs.replace(reply, text=encodable(reply.text))
        if len(reply.text) > ANSWER_LIMIT:
            note = notices.shortened(job.message.sender.language)
            text = notices.cut(reply.text[:ANSWER_LIMIT], note, reply.format)
            reply = msgspec.structs.replace(reply, text=text)
        if not job.turn.first:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._total + ORDER_GRACE):
                    await job.turn.wait()
        target = job.target
        if not reply.quote:
            target = msgspec.structs.replace(target, reply_to=0)
        message = job.message
        send = Send(
            update,
            target,
            reply,
            notice=notice,
            asker=message.sender.id,
            name=message.sender.name,
            streamed=bool(job.shown),
            edited=message.edited,
            shared=job.origin.shared,
        )
        await self._port.send(send)
