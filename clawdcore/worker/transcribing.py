"""One recording written down by a model server: its turn there, its time, its errors."""

from __future__ import annotations

import asyncio
from typing import Final

from ..admission.ask import Ask
from ..backend import Audio, Transcript
from ..errors import Overloaded
from .origin import Origin
from .servers import Server

BYTES: Final = 50
"""Bytes of a voice message (20 kbit/s) for each of the 50 positions that whisper has a second."""
MOST: Final = 4096
"""Tokens that a recording counts for at most: other formats have more bytes a second."""


async def transcribed(
    server: Server, audio: Audio, origin: Origin | None, *, deadline: float
) -> Transcript:
    """What ``audio`` says. Its ``deadline`` bounds the wait, ``deadline`` the work as well.

    Raises:
        TimeoutError: it was not done by then.
        clawdcore.errors.BackendError: as :meth:`clawdcore.Backend.transcribe`.
    """
    tokens = min(MOST, len(audio.data) // BYTES)
    ask = Ask(
        priority=audio.priority,
        chat=audio.key,
        sender=audio.sender,
        prompt_tokens=tokens,
        deadline=audio.deadline,
        later=origin is not None and origin.seated,
    )
    async with asyncio.timeout_at(deadline):
        await server.must_start()
        seat = server.gate.seat(ask)
        if origin is not None:
            origin.waits.append(seat)
        async with seat:
            if origin is not None:
                origin.seated = True
            try:
                said = await server.backend.transcribe(audio)
            except Overloaded:
                server.refused()
                raise
            seat.used(tokens, len(said.text.encode()) // 4)
            return said
