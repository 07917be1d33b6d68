"""How a long recording is cut: speech only, in pieces that a model takes at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .decoding import RATE
from .speech import Span

PIECE: Final = 28 * RATE
"""Samples of speech in a piece at most; whisper takes 30 s, and the ends are padded."""

Piece = tuple[Span, ...]
"""Stretches of speech that a model gets as one, without the silence between them."""


def pieces(spans: Iterable[Span], most: int = PIECE) -> list[Piece]:
    """The spans, in order, in groups of at most ``most`` samples.

    A span that is longer than that is cut. No sample of the spans is lost or doubled.
    """
    groups: list[Piece] = []
    group: list[Span] = []
    length = 0
    for span in (part for whole in spans for part in _cut(whole, most)):
        if group and length + span.length > most:
            groups.append(tuple(group))
            group, length = [], 0
        group.append(span)
        length += span.length
    if group:
        groups.append(tuple(group))
    return groups


def _cut(span: Span, most: int) -> list[Span]:
    starts = range(span.start, span.end, most)
    return [Span(start, min(start + most, span.end)) for start in starts]
