"""What is said to llama.cpp's chat endpoint, and what its stream answers. No IO here."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from clawdcore import Request

PATH: Final = "/v1/chat/completions"
OVERFLOW: Final = "exceed_context_size_error"
LONGEST_EVENT: Final = 1 << 20
"""Bytes of one event; llama.cpp's are a few hundred."""


class Delta(msgspec.Struct):
    """New text; a reasoning model's thoughts come in another field, and are left out."""

    content: str | None = None


class Choice(msgspec.Struct):
    """The one answer that was asked for."""

    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None


class Spent(msgspec.Struct):
    """Tokens of the whole request."""

    prompt_tokens: int
    completion_tokens: int


class PromptProgress(msgspec.Struct):
    """Tokens of the question: all of them, and those read so far."""

    total: int
    processed: int


class Problem(msgspec.Struct):
    """Why it failed; the message may quote what was asked, so it is not decoded."""

    type: str = ""
    n_prompt_tokens: int = 0
    n_ctx: int = 0


class Event(msgspec.Struct):
    """One event of the stream, or the whole body of a refusal."""

    choices: list[Choice] = []
    usage: Spent | None = None
    prompt_progress: PromptProgress | None = None
    error: Problem | None = None


_decoder: Final = msgspec.json.Decoder(Event)


def decode(data: bytes) -> Event:
    """Raises :class:`msgspec.MsgspecError` if it is no event."""
    return _decoder.decode(data)


def encode(request: Request, max_tokens: int) -> bytes:
    """The body that asks for ``request``'s answer of at most ``max_tokens``."""
    body: dict[str, Any] = {
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.turns],
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        # The server notices that nobody listens only when it sends something. Without
        # this it sends nothing while it reads the question, and reads it to the end.
        "return_progress": True,
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.stop:
        body["stop"] = list(request.stop)
    return msgspec.json.encode(body)


class EventStream:
    """Splits the bytes of a server-sent event stream into the data of its events.

    By bytes, since text may hold characters that ``str.splitlines`` splits at.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The data that ``data`` completes; without comments and the closing ``[DONE]``.

        Raises:
            ValueError: an event has no end.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_EVENT:
            raise ValueError("an event without end")
        found = (line[5:].strip() for line in lines if line.startswith(b"data:"))
        return [item for item in found if item and item != b"[DONE]"]
