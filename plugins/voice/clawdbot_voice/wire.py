"""What the bot and an engine's process tell each other, over two pipes.

A record is MessagePack with its length before it: four bytes, the highest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from .speech import Heard

T = TypeVar("T")
HEADER: Final = 4
"""Bytes of a record's length."""
ANSWER_LIMIT: Final = 1 << 20
"""Bytes of an engine's record at most: the words of half a minute are some hundred."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What an engine's process is told once.

    ``recogniser`` is ``module:class``. ``model`` is where the weights are; ``threads``
    0 is for as many as there are processors.
    """

    recogniser: str
    model: str
    device: str = "cpu"
    compute_type: str = "int8"
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """One recording, at most ``most`` seconds of it."""

    data: bytes = field(repr=False)
    language: str
    most: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back for a job: pieces, then one with ``over``.

    ``error`` is "" or one of :data:`~clawdbot_voice.failures.CODES`, ``seconds`` how long
    the recording is, where that is the error. An answer with neither says that the
    engine is alive.
    """

    heard: Heard | None = None
    over: bool = False
    error: str = ""
    seconds: float = 0.0


def pack(record: object) -> bytes:
    """The record as it goes over the pipe."""
    body = msgspec.msgpack.encode(record)
    return len(body).to_bytes(HEADER, "big") + body


def length(header: bytes) -> int:
    """The bytes of the record behind a header."""
    return int.from_bytes(header, "big")


def unpack(body: bytes, kind: type[T]) -> T:
    """The record in ``body``.

    Raises:
        msgspec.MsgspecError: it is no ``kind``.
    """
    return msgspec.msgpack.decode(body, type=kind)
