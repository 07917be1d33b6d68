"""What must come through a translation unchanged: links, names, code, placeholders, emoji. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FENCED: Final = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)

FIXED: Final = re.compile(
    r"""
    (?:https?|tg|ftp)://[^\s<>]*[^\s<>.,;:!?)\]}'"»“”，。！？；：、）】」』]
    | www\.[^\s<>]*[^\s<>.,;:!?)\]}'"»“”，。！？；：、）】」』]
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                  # a mail address
    | `[^`\n]+`                                     # code
    | (?<![\w/])@[A-Za-z]\w{2,}                     # a name
    | (?<![\w&/])\#\w*[^\W\d]\w*                    # a hashtag
    | (?<![\w/.<])/[a-z]\w*(?:@\w+)?(?![\w/])       # a command
    | \$\{\w+\}                                        # placeholders of programs
    | \{\{?(?:[A-Za-z_]\w*|\d{0,3})(?:![rsa])?(?::[^{}\s]{1,20})?\}?\}
    | %\(\w+\)[sd] | %(?:\d{1,2}\$)?(?:\.\d{1,2}f|[sd])(?![A-Za-z0-9_]) | %\d{1,2}\$@
    | \[[A-Z][A-Z_]+\]                              # and of letters: [NAME]
    | </?[A-Za-z][^<>\n]*>                          # tags
    """,
    re.VERBOSE,
)
"""Links (not the full stop after one), addresses, code, names, hashtags, and the like."""

EMOJI: Final = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
    "[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]*"
    "(?:\u200d[\u2600-\u27bf\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]*)*"
)
"""Pictures, flags, and those joined of several."""

MARKS: Final = re.compile(r"\*\*|__|~~|\|\|")
"""Marks of bold, underlined, struck and hidden text."""

MASK: Final = re.compile(r"[\[【［]\s*(\d{1,7})\s*[\]】］]")
"""A mask as it may come back: ``[7]``, with spaces or wide brackets."""
OWN: Final = 999_999
"""Numbers in a text's own brackets up to here are told from masks; beyond, they are no reason
to count the masks from there."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A text in which each fixed part is a mask; ``parts`` are what stood there, by number.

    ``first`` is the number of the first part, so high that the text has no mask of its own.
    """

    text: str
    parts: tuple[str, ...]
    first: int

    def restore(self, answer: str) -> str | None:
        """``answer`` with its parts again, or None when one is lost, new or there twice.

        Where an engine moves a part, or leaves out the space beside it, a space is put back
        if what stands there now would become part of it (``@ada`` and ``now``: ``@adanow``).
        """
        numbers = [int(number) for number in MASK.findall(answer)]
        ours = [number for number in numbers if self.first <= number]
        if sorted(ours) != list(range(self.first, self.first + len(self.parts))):
            return None
        pieces: list[tuple[str, bool]] = []
        at = 0
        for found in MASK.finditer(answer):
            number = int(found[1]) - self.first
            if number >= 0:
                pieces += [(answer[at : found.start()], True), (self.parts[number], False)]
                at = found.end()
        whole = joined([*pieces, (answer[at:], True)])
        return None if missing(self.parts, whole) else whole


def fixed(text: str) -> list[tuple[int, int]]:
    """Where the parts are that no translation may change: (start, end), in order."""
    spans: list[tuple[int, int]] = []
    for pattern in (FENCED, FIXED, EMOJI, MARKS):
        for match in pattern.finditer(text):
            if all(match.end() <= start or end <= match.start() for start, end in spans):
                spans.append(match.span())
    return sorted(spans)


def mask(text: str) -> Masked:
    """The text with ``[n]`` for each fixed part; emoji and marks are parts too."""
    own = [int(number) for number in MASK.findall(text)]
    first = 1 + max((number for number in own if number <= OWN), default=0)
    pieces: list[str] = []
    parts: list[str] = []
    at = 0
    for start, end in fixed(text):
        pieces += [text[at:start], f"[{first + len(parts)}]"]
        parts.append(text[start:end])
        at = end
    return Masked("".join([*pieces, text[at:]]), tuple(parts), first)


def between(text: str) -> list[tuple[str, bool]]:
    """The text cut at its fixed parts: each piece, and whether it is to be translated."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in [*fixed(text), (len(text), len(text))]:
        if at < start:
            pieces.append((text[at:start], any(c.isalpha() for c in text[at:start])))
        if start < end:
            pieces.append((text[start:end], False))
        at = end
    return pieces


def joined(pieces: Sequence[tuple[str, bool]]) -> str:
    """The pieces together: as they are, where every fixed one (False) stays one so.

    Else with a space where a fixed part would run into what stands beside it.
    """
    parts = [text for text, free in pieces if not free]
    whole = "".join(text for text, _ in pieces)
    if not missing(parts, whole):
        return whole
    spaced: list[str] = []
    before, after_part = "", False
    for text, free in pieces:
        if not text:
            continue
        runs_in = (after_part and fixed(before + text)[:1] != [(0, len(before))]) or (
            not free and fixed(before + text)[-1:] != [(len(before), len(before + text))]
        )
        spaced += [" ", text] if before and runs_in else [text]
        before, after_part = text, not free
    return "".join(spaced)


def missing(parts: Sequence[str], text: str) -> bool:
    """Whether ``text`` has one of ``parts`` less often than they do, as a fixed part."""
    return bool(Counter(parts) - Counter(text[start:end] for start, end in fixed(text)))


def lost(answer: str, source: str) -> list[str]:
    """Fixed parts of ``source`` that ``answer`` lacks, each as often; not emoji and marks.

    A model may leave out an emoji; a link, a name or a placeholder it must not touch.
    """
    wanted = Counter(_hard(source))
    for part in list(wanted):
        wanted[part] -= answer.count(part)
    return list((+wanted).elements())


def _hard(text: str) -> list[str]:
    """The fixed parts that carry meaning."""
    fences = [match[0] for match in FENCED.finditer(text)]
    return fences + [match[0] for match in FIXED.finditer(FENCED.sub(" ", text))]
