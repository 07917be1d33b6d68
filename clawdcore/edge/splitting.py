"""Cut a long text into messages: between paragraphs, lines, sentences or words; pure.

Lengths are in UTF-16 code units, as Telegram counts them. An entity that a cut
would halve goes whole into the next message where it fits; else both halves
keep its style.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import msgspec

from .markup import Entity

TEXT_LIMIT: Final = 4096
"""UTF-16 units of one message (core.telegram.org/bots/api#sendmessage)."""
JOINER: Final = "\u200d"
BREAKS: Final = ("\n\n", "\n", ". ", "! ", "? ", "。", "！", "？", "; ", "；", ", ", "，", " ")
"""Places to cut at, the best first."""

Piece = tuple[str, tuple[Entity, ...]]


def split(text: str, entities: tuple[Entity, ...] = (), limit: int = TEXT_LIMIT) -> list[Piece]:
    """``text`` as pieces of at most ``limit`` units, each with its entities.

    White space at a cut is dropped; nothing else is. A text of nothing but
    white space gives no piece. ``limit`` is at least 16.
    """
    if limit < 16:
        raise ValueError(f"a limit of {limit} units is too small to cut well")
    data = text.encode("utf-16-le", "surrogatepass")
    end = len(data) // 2
    pieces: list[Piece] = []
    start = _skip_space(data, 0, end)
    while start < end:
        cut = end if end - start <= limit else _cut(data, start, limit, entities)
        stop = _trim_space(data, start, cut)
        if stop > start:
            piece = data[start * 2 : stop * 2].decode("utf-16-le", "replace")
            pieces.append((piece, _within(entities, start, stop)))
        start = _skip_space(data, cut, end)
    return pieces


def _cut(data: bytes, start: int, limit: int, entities: tuple[Entity, ...]) -> int:
    """Where to end the piece that begins at ``start``."""
    end = start + limit
    if _is_low_surrogate(data, end):
        end -= 1
    window = data[start * 2 : end * 2].decode("utf-16-le", "replace")
    cut = start + _units(window[: _boundary(window, data, end)])
    for entity in entities:
        inside = start < entity.offset < cut < entity.offset + entity.length
        # A wrong entity may begin within a surrogate pair, which must stay whole.
        if inside and entity.length <= limit and not _is_low_surrogate(data, entity.offset):
            cut = entity.offset
    return cut


def _boundary(window: str, data: bytes, end: int) -> int:
    """Characters of ``window`` to keep; at least a quarter where words allow."""
    least = len(window) // 4
    for mark in BREAKS:
        at = window.rfind(mark)
        if at >= least:
            return at + len(mark)
    following = data[end * 2 : end * 2 + 4].decode("utf-16-le", "replace")[:1]
    return _whole_characters(window, following)


def _whole_characters(window: str, following: str) -> int:
    """Step back from a cut inside a character that is written with several."""
    at = len(window)
    after = following
    for _ in range(min(at - 1, 16)):
        joined = after and (
            unicodedata.combining(after)
            or after == JOINER
            or window[at - 1] == JOINER
            or unicodedata.category(after) in ("Mn", "Me", "Sk")
        )
        if not joined:
            return at
        at -= 1
        after = window[at]
    return len(window)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_low_surrogate(data: bytes, at: int) -> bool:
    return 0xDC <= data[at * 2 + 1] <= 0xDF if at * 2 + 1 < len(data) else False


def _char(data: bytes, at: int) -> str:
    return chr(int.from_bytes(data[at * 2 : at * 2 + 2], "little"))


def _skip_space(data: bytes, at: int, end: int) -> int:
    while at < end and _char(data, at).isspace():
        at += 1
    return at


def _trim_space(data: bytes, start: int, at: int) -> int:
    while at > start and _char(data, at - 1).isspace():
        at -= 1
    return at


def _within(entities: tuple[Entity, ...], start: int, stop: int) -> tuple[Entity, ...]:
    """The parts of ``entities`` between two places, counted from the first."""
    found = []
    for entity in entities:
        begin = max(entity.offset, start)
        finish = min(entity.offset + entity.length, stop)
        if finish > begin:
            found.append(
                msgspec.structs.replace(entity, offset=begin - start, length=finish - begin)
            )
    return tuple(found)
