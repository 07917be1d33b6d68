"""What reading a streamed answer gives, whichever of the two APIs it is. No IO here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, Literal

import msgspec

from clawdcore import Chunk, ToolCall, Usage

LONGEST_ANSWER: Final = 1 << 24
"""Bytes of one answer's events; far above what a context holds."""

Finish = Literal["stop", "length", "tool_calls", "abort"]


class ErrorEvent(Exception):
    """The server says inside a stream that it failed; ``status`` is as an HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Problem(msgspec.Struct):
    """The error in an event. Its message may quote the user, so it is not decoded."""

    code: int | str | None = None
    type: str | None = None

    def raised(self) -> ErrorEvent:
        """500 where its code is no HTTP status."""
        status = self.code if isinstance(self.code, int) and 400 <= self.code < 600 else 500
        return ErrorEvent(status)


class Reader(ABC):
    """Takes the data of one event after another.

    ``begun`` is whether a token came, of whatever kind, ``tokens`` how many at
    least. ``finish`` is set when the server said why it ended, ``ended`` when
    nothing more can come.
    """

    def __init__(self) -> None:
        self.begun = False
        self.tokens = 0
        self.ended = False
        self.finish: Finish | None = None
        self.usage: Usage | None = None
        self._size = 0

    def read(self, data: bytes) -> str:
        """The text that an event adds.

        Raises:
            ErrorEvent: the server failed.
            msgspec.MsgspecError: it is no event of this API.
            ValueError: the same, or the answer is longer than :data:`LONGEST_ANSWER`.
        """
        self._size += len(data)
        if self._size > LONGEST_ANSWER:
            raise ValueError("an answer without end")
        return self._read(data)

    @abstractmethod
    def _read(self, data: bytes) -> str: ...

    @abstractmethod
    def calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model wants called, whole."""

    def last(self) -> Chunk:
        """The chunk that ends the answer."""
        calls = self.calls()
        finish = self.finish or "stop"
        if calls and finish == "stop":
            finish = "tool_calls"
        return Chunk(finish=finish, usage=self.usage, calls=calls)

    def _came(self) -> None:
        self.begun = True
        self.tokens += 1
