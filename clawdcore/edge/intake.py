"""Cut an answer of ``getUpdates`` into updates without decoding them; pure.

Whatever stands in an update's place, the next one is served: a piece that is
no update is handed on as a :class:`Broken` and counted. That holds within an
answer of the Bot API only: a proxy's page says nothing about updates, and an
answer that was cut off doesn't end the last one.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import msgspec

ID_START: Final = re.compile(rb'\{\s*"update_id"\s*:\s*(\d{1,18})\s*[,}]')
HEAD: Final = re.compile(rb'\s*\{\s*"ok"\s*:\s*true\s*,\s*"result"\s*:\s*\[')
TAIL: Final = re.compile(rb"\]\s*\}\s*\Z")
TAIL_SPAN: Final = 64
"""Bytes at the end in which the list must be closed; keeps the search short."""
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


class NoAnswer(ValueError):
    """Not a whole and successful answer of the Bot API; it confirms nothing."""


class _Answer(msgspec.Struct):
    ok: bool
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
    """All that an answer of ``getUpdates`` holds, in its order.

    Raises:
        NoAnswer: no ``"ok":true`` with a list of results, or not all of it.
    """
    try:
        answer = _answer.decode(body)
        if not answer.ok:
            raise NoAnswer("the Bot API says that it failed")
        pieces = [bytes(piece) for piece in answer.result]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pieces = _cut_at_ids(body)
    return [read_update(piece) for piece in pieces]


def _cut_at_ids(body: bytes) -> list[bytes]:
    """Cut broken JSON where updates begin: Telegram writes their id first.

    What stands between them is a piece too, so that it is counted.
    """
    opening = HEAD.match(body)
    if opening is None or TAIL.search(body, max(opening.end(), len(body) - TAIL_SPAN)) is None:
        raise NoAnswer("what came is not an answer of the Bot API")
    start = opening.end()
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
