"""From lines that were found somewhere on a page to its text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

OVERLAP: Final = 0.5
"""Two lines are in one row where they share this much of the lower one's height."""
APART: Final = 1.5
"""Heights of a line between two rows from which on a new block begins; text has 0.2 to 1."""


@dataclass(frozen=True, slots=True)
class Line:
    """Words in a row, and their box in pixels of the page.

    ``left`` and ``middle`` are where the middle of its left edge is; ``angle`` is how much
    it goes down to the right, in radians.
    """

    text: str = field(repr=False)
    left: float
    middle: float
    width: float
    height: float
    angle: float = 0.0


def text_of(lines: Sequence[Line]) -> str:
    """The text: rows from top to bottom, in each from left to right, blocks an empty line apart.

    The page is levelled first by the angle of most lines, so that tilted rows stay whole.
    """
    if not lines:
        return ""
    level = median(line.angle for line in lines)
    levelled = sorted((_levelled(line, level) for line in lines), key=lambda line: line.middle)
    rows: list[list[Line]] = []
    for line in levelled:
        if rows and _together(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    height = median(line.height for line in levelled)
    parts: list[str] = []
    bottom = math.inf
    for row in rows:
        top = min(line.middle - line.height / 2 for line in row)
        if top - bottom > APART * height:
            parts.append("")
        parts.append(" ".join(line.text for line in sorted(row, key=lambda line: line.left)))
        bottom = max(line.middle + line.height / 2 for line in row)
    return "\n".join(parts)


def _levelled(line: Line, angle: float) -> Line:
    cosine, sine = math.cos(-angle), math.sin(-angle)
    return Line(
        line.text,
        line.left * cosine - line.middle * sine,
        line.left * sine + line.middle * cosine,
        line.width,
        line.height,
        line.angle - angle,
    )


def _together(row: Sequence[Line], line: Line) -> bool:
    first = row[0]
    lower = min(first.height, line.height)
    shared = (first.height + line.height) / 2 - abs(first.middle - line.middle)
    beside = all(
        line.left >= other.left + other.width / 2 or other.left >= line.left + line.width / 2
        for other in row
    )
    return beside and shared > OVERLAP * lower
