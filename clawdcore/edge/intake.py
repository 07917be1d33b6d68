"""Cut an answer of ``getUpdates`` into updates without decoding them; pure.

Whatever stands in an update's place, the next one is served: a piece that is
no update is handed on as a :class:`Broken` and counted.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import msgspec

ID_START: Final = re.compile(rb'\{\s*"update_id"\s*:\s*(\d{1,18})\s*[,}]')
RESULT: Final = re.compile(rb'"result"\s*:\s*\[')
BETWEEN: Final = b" \t\r\n,]}"
QUOTE, BACKSLASH, OPENING, CLOSING = b'"\\{}'


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
    """Cut broken JSON where updates begin: Telegram writes their id first.

    What stands between them is a piece too, so that it is counted.
    """
    opening = RESULT.search(body)
    start = opening.end() if opening else 0
    starts = [match.start() for match in ID_START.finditer(body, start)]
    pieces = [body[start : starts[0] if starts else len(body)]]
    for begin, end in pairwise([*starts, len(body)]):
        update = _balanced(body[begin:end])
        pieces += [update, body[begin + len(update) : end]]
    return [piece for piece in pieces if piece.strip(BETWEEN)]


def _balanced(body: bytes) -> bytes:
    """The first whole JSON object of ``body``, or all of it if none ends."""
    depth = 0
    in_string = escaped = False
    for at, byte in enumerate(body):
        if in_string:
            if escaped:
                escaped = False
            elif byte == BACKSLASH:
                escaped = True
            elif byte == QUOTE:
                in_string = False
        elif byte == QUOTE:
            in_string = True
        elif byte == OPENING:
            depth += 1
        elif byte == CLOSING:
            depth -= 1
            if not depth:
                return body[: at + 1]
    return body


def _found_id(body: bytes) -> int | None:
    match = ID_START.match(body.lstrip())
    return int(match.group(1)) if match else None
