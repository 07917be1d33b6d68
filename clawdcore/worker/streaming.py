"""An answer that grows: it is shown while it does, and is one reply in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from ..admission.ladder import Rung
from ..broker import Draft, Port, ToEdge, ToWorker
from ..messages import Reply
from .dispatch import Job
from .results import encodable, piece_of

DRAFT_PAUSE: Final = 0.25
"""Seconds between two drafts of one answer; the edge slows them further."""
ANSWER_LIMIT: Final = 32_768
"""Characters of one answer: eight Telegram messages of 4096, as many as anybody
reads; more would only hold up the chat, which takes about one message a second."""
BREATH: Final = 64
"""After so many pieces of a stream everybody else gets their turn."""


class Streaming:
    """Takes streams in. ``rung`` says how busy the bot is."""

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        *,
        rung: Callable[[], Rung],
        clock: Callable[[], float],
    ) -> None:
        self._port = port
        self._rung = rung
        self._clock = clock

    async def whole(self, update: int, job: Job, plugin: str, pieces: AsyncIterator[str]) -> Reply:
        """Show the answer while it grows; the whole of it is the reply."""
        drafted = float("-inf")
        count = length = 0
        async with closing(pieces):
            async for piece in pieces:
                if piece_of(plugin, piece):
                    job.shown.append(piece)
                    length += len(piece)
                if length > ANSWER_LIMIT or job.left:
                    break
                now = self._clock()
                if (
                    now - drafted >= DRAFT_PAUSE
                    and job.turn.first
                    and (job.target.private or not job.origin.shared)
                    and self._rung() < Rung.WHOLE_ANSWERS
                ):
                    drafted = now
                    await self._port.send(Draft(update, job.target, encodable("".join(job.shown))))
                count += 1
                if not count % BREATH:
                    await asyncio.sleep(0)
        return Reply(text="".join(job.shown), format=job.format)


@asynccontextmanager
async def closing(pieces: AsyncIterator[str]) -> AsyncIterator[None]:
    """Close a generator at the end; an iterator without ``aclose`` needs nothing."""
    try:
        yield
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
