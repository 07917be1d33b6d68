"""One streamed answer: its bytes in, chunks out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Final

import msgspec

from clawdcore import Chunk

from .client import block
from .events import EventStream
from .failures import AttemptFailed, Kind, Where, broken, cut, of_status
from .http import Response
from .reading import ErrorEvent, Reader

EVENTS: Final = "text/event-stream"
LAST_WORDS: Final = 2.0
"""Seconds for usage and the closing line to follow the reason why an answer ended."""
DRAIN: Final = 0.05
"""Seconds for the end of the body to follow the closing line, so that the connection is kept."""


async def chunks(
    where: Where,
    response: Response,
    reader: Reader,
    *,
    idle: float,
    deadline: float | None,
    came: Callable[[], None],
    wait: float,
) -> AsyncGenerator[Chunk, None]:
    """The answer; the last chunk carries the finish, "abort" where the deadline cut it.

    ``came`` is called when bytes came. Texts that came together are one chunk.
    The response is the caller's to close.

    Raises:
        AttemptFailed: it broke; ``reader.begun`` says whether after the first token.
    """
    stream = EventStream()
    while not reader.ended:
        seconds = LAST_WORDS if reader.finish else idle
        try:
            data = await block(
                where, response, seconds=seconds, deadline=deadline, begun=reader.begun
            )
        except AttemptFailed as failed:
            if reader.finish:  # all that could still come is the usage
                break
            if failed.kind is Kind.OUT_OF_TIME and reader.begun:
                reader.finish = "abort"
                break
            raise
        if not data:
            if reader.finish:
                break
            if not reader.begun and response.content_type != EVENTS:
                raise broken(where, "sent no stream of events", begun=False)
            raise cut(where, begun=reader.begun)
        came()
        text = _text(where, stream, reader, data, wait)
        if text:
            yield Chunk(text=text)
    if reader.ended:
        await _drain(where, response)
    yield reader.last()


def _text(where: Where, stream: EventStream, reader: Reader, data: bytes, wait: float) -> str:
    text = ""
    event = b""
    try:
        for event in stream.feed(data):
            text += reader.read(event)
            if reader.ended:
                break
    except ErrorEvent as error:
        raise of_status(where, error.status, event, wait=wait, begun=reader.begun) from None
    except (ValueError, msgspec.MsgspecError):
        # What cannot be read may hold what was asked: its text goes nowhere.
        raise broken(where, "sent a stream that can't be read", begun=reader.begun) from None
    return text


async def _drain(where: Where, response: Response) -> None:
    """Read the end of the body; a server that keeps it open loses the connection."""
    try:
        rest = await block(where, response, seconds=DRAIN, deadline=None, begun=True)
    except AttemptFailed:
        rest = b"more"
    if rest:
        response.close()
