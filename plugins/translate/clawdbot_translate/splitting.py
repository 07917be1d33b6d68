"""Cuts a long text into parts that an engine takes: at paragraphs, sentences, words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .clusters import cut_at
from .protection import FENCED

SENTENCE: Final = re.compile(
    r"(?<=[.!?…])[\"'»”)\]]*\s+|(?<=[。！？；…])[”」』）]*(?=\S)\s*|(?<=[।؟۔።])\s*"
)
"""Where a sentence ends: the break that follows belongs to neither."""

WORD: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text, the white space after it, and whether it is to be translated."""

    text: str
    gap: str = ""
    wanted: bool = True


def split(text: str, limit: int) -> list[Part]:
    """Parts of at most ``limit`` characters that give the text when put together.

    Code in fences is never translated, so it is a part of its own, however long.
    """
    parts: list[Part] = []
    at = 0
    for match in FENCED.finditer(text):
        parts += _joined(text[at : match.start()], limit)
        parts.append(Part(match[0], wanted=False))
        at = match.end()
    parts += _joined(text[at:], limit)
    return parts


def _joined(text: str, limit: int) -> list[Part]:
    """As few parts as the limit allows, broken at the strongest breaks."""
    parts: list[Part] = []
    if text and not text.strip():
        return [Part("", text, wanted=False)]
    head = text[: len(text) - len(text.lstrip())]
    if head:
        parts.append(Part("", head, wanted=False))
    for piece, gap in _pieces(text[len(head) :], limit):
        last = parts[-1] if parts else None
        if last is not None and last.wanted:
            together = len(last.text) + len(last.gap) + len(piece)
            if together <= limit:
                parts[-1] = Part(last.text + last.gap + piece, gap)
                continue
        parts.append(Part(piece, gap))
    return parts


def _pieces(text: str, limit: int) -> Iterator[tuple[str, str]]:
    """Lines, and of those too long sentences, words, or just so many characters."""
    for line, gap in _cut(text, re.compile(r"\s*\n\s*")):
        if len(line) <= limit:
            yield line, gap
            continue
        sentences = list(_cut(line, SENTENCE))
        for number, (sentence, space) in enumerate(sentences):
            end = gap if number == len(sentences) - 1 else ""
            if len(sentence) <= limit:
                yield sentence, space + end
            else:
                yield from _words(sentence, limit, space + end)


def _words(sentence: str, limit: int, end: str) -> Iterator[tuple[str, str]]:
    while len(sentence) > limit:
        at = sentence.rfind(" ", 1, limit + 1)
        if at < 1:
            at = cut_at(sentence, limit)
            yield sentence[:at], ""
            sentence = sentence[at:]
        else:
            yield sentence[:at], " "
            sentence = sentence[at + 1 :]
    yield sentence, end


def _cut(text: str, at: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """The text between the breaks, each with the white space of the break after it."""
    start = 0
    for match in at.finditer(text):
        closing = len(match[0].rstrip()) if match[0].strip() else 0
        end = match.start() + closing
        if end > start:
            yield text[start:end], text[end : match.end()]
            start = match.end()
    if start < len(text):
        yield text[start:], ""
