"""What the bot and the engine's process tell each other, over two pipes.

A record is MessagePack with its length before it: four bytes, the highest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")
HEADER: Final = 4
"""Bytes of a record's length."""
ANSWER_LIMIT: Final = 1 << 22
"""Bytes of an answer at most: a page in small print has some ten thousand."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the process is told once; ``recogniser`` is ``module:class``."""

    recogniser: str
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One file, and how much of it is decoded at most."""

    data: bytes = field(repr=False)
    max_pixels: int
    max_pages: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back for a job: the text of each page, or why there is none.

    ``error`` is "" or one of :data:`~clawdbot_ocr.codes.CODES`; ``figure`` is what its
    class tells with it (pixels). ``fix`` is for the owner.
    """

    pages: tuple[str, ...] = field(default=(), repr=False)
    more: int = 0
    engine: str = ""
    error: str = ""
    figure: int = 0
    fix: str = ""


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
