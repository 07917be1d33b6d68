"""A table as lines of one width, to be read in a monospaced font."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from markdown_it.token import Token

GROWTH: Final = 4
"""A table that its padding makes longer than so many times its source stays as written."""


def table(tokens: Sequence[Token], raw: str) -> str:
    """The table whose tokens these are; ``raw`` is its source."""
    rows: list[list[str]] = []
    right: list[bool] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            right.append("right" in str(token.attrGet("style") or ""))
        elif token.type == "inline" and rows:
            rows[-1].append(_plain(token.children or ()))
    sizes = [max(map(width, column)) for column in zip(*rows, strict=True)]
    if len(rows) * (sum(sizes) + 3 * len(sizes)) > GROWTH * len(raw):
        return raw
    lines = [_line(row, sizes, right) for row in rows]
    lines.insert(1, "-+-".join("-" * size for size in sizes))
    made = "\n".join(lines)
    # A row may have more cells than the table has columns.
    return made if _words(made) >= _words(raw) else raw


def width(text: str) -> int:
    """Columns that ``text`` takes: two for what East Asian fonts make wide."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _line(row: Sequence[str], sizes: Sequence[int], right: Sequence[bool]) -> str:
    cells = []
    for cell, size, flush in zip(row, sizes, right, strict=True):
        space = " " * (size - width(cell))
        cells.append(space + cell if flush else cell + space)
    return " | ".join(cells).rstrip()


def _plain(children: Sequence[Token]) -> str:
    """What a cell says; a link shows where it leads, since there are none in such a block."""
    parts: list[str] = []
    urls: list[str] = []
    for token in children:
        if token.type == "link_open":
            urls.append(str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            parts.append(f" ({urls.pop()})" if token.markup != "autolink" else "")
        else:
            parts.append(token.content)
    return "".join(parts).strip()


def _words(text: str) -> int:
    return sum(map(str.isalnum, text))
