"""Cut an answer of ``getUpdates`` into updates without decoding them; pure.

Whatever stands in an update's place, the next one is served: a piece that is
no update is handed on as a :class:`Broken` and counted.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

ID_START: Final = re.compile(rb'\{\s*"update_id"\s*:\s*(\d{1,18})\s*[,}]')


class Update(msgspec.Struct, frozen=True):
    """An update's id and its bytes."""

    id: int
    body: bytes


class Broken(msgspec.Struct, frozen=True):
    """Something that is no update; ``id`` is None where even that is unknown."""

    id: int | None
    reason: str


class _Answer(msgspec.Struct):
    result: list[msgspec.Raw]


class _Head(msgspec.Struct):
    update_id: int


_answer = msgspec.json.Decoder(_Answer)
_head = msgspec.json.Decoder(_Head)


def read_update(body: bytes) -> Update | Broken:
    """One update's bytes, as a webhook brings them."""
    try:
        return Update(_head.decode(body).update_id, body)
    except msgspec.ValidationError as error:
        return Broken(_found_id(body), f"not an update: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Broken(_found_id(body), "not valid JSON")


def read_updates(body: bytes) -> list[Update | Broken]:
    """All that an answer of ``getUpdates`` holds, in its order."""
    try:
        pieces = [bytes(piece) for piece in _answer.decode(body).result]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pieces = _cut_at_ids(body)
    return [read_update(piece) for piece in pieces]


def _cut_at_ids(body: bytes) -> list[bytes]:
    """Cut broken JSON where updates begin: Telegram writes their id first."""
    starts = [match.start() for match in ID_START.finditer(body)]
    if not starts:
        return [body]
    ends = [*starts[1:], len(body)]
    return [_balanced(body[start:end]) for start, end in zip(starts, ends, strict=True)]


def _balanced(piece: bytes) -> bytes:
    """The first whole JSON object of ``piece``, or all of it if none ends."""
    depth = 0
    in_string = escaped = False
    for at, byte in enumerate(piece):
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte == 0x7B:
            depth += 1
        elif byte == 0x7D:
            depth -= 1
            if not depth:
                return piece[: at + 1]
    return piece


def _found_id(body: bytes) -> int | None:
    match = ID_START.match(body.lstrip())
    return int(match.group(1)) if match else None
