"""What a request claims of a model server, and what it really takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from ..admission.ask import Ask
from ..admission.gate import Seat
from ..backend import Chunk, Request
from ..errors import Overloaded
from .servers import Server

TURN: Final = 4
"""Tokens that the frame of a turn takes."""
IMAGE: Final = 800
"""Tokens of a picture; models take 250 to 1,600 for an ordinary one."""


async def metered(server: Server, request: Request, seat: Seat) -> AsyncGenerator[Chunk, None]:
    """What the backend generates, charged to the seat as it comes."""
    prompt, output = seat.ask.prompt_tokens, 0
    chunks = server.backend.generate(request)
    try:
        async for chunk in chunks:
            if chunk.usage is not None:
                prompt, output = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
            elif chunk.text or chunk.calls:
                output += 1  # a chunk is about a token, as servers stream
            seat.used(prompt, output)
            yield chunk
    except Overloaded:
        server.refused()
        raise
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


def claim(request: Request, *, later: bool) -> Ask:
    """What a request claims of a server; tokens are about a quarter of the bytes."""
    size = sum(len(turn.content.encode()) // 4 + TURN for turn in request.turns)
    size += IMAGE * sum(len(turn.images) for turn in request.turns)
    return Ask(
        priority=request.priority,
        chat=request.key,
        sender=request.sender,
        prompt_tokens=size,
        output_tokens=request.max_tokens or 0,
        deadline=request.deadline,
        later=later,
    )
