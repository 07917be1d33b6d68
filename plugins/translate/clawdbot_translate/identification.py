"""Which language a message is in, offline: our own everyday words, and CLD2 beside them.

Chosen by measurement on short chat messages: ``docs/adr/0015-language-identification.md``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

import pycld2  # type: ignore[import-untyped]

from .chinese import variety
from .guessing import SCRIPT, weighed
from .languages import Language, find
from .scripts import FIXED, letters

WORDS: Final = 3
"""Everyday words that are believed whatever CLD2 says."""

SURE_LETTERS: Final = 12
"""Letters from which on CLD2 alone is believed: it takes ``danke`` for Norwegian."""

NEAR: Final = tuple(
    frozenset(codes.split())
    for codes in (
        "id ms jv su",
        "no da sv is",
        "bg mk ru uk be sr",
        "hr bs sr sl mk",
        "cs sk pl",
        "es gl pt ca it la ro",
        "fr ca ht",
        "hi mr ne",
        "ur fa ps ar sd ckb ug ku",
        "nl af de lb",
        "zh yue ja",
        "tr az tk uz tt kk ky",
        "kk ky tt mn tg uz",
        "zu xh",
        "fil ceb",
        "gd ga",
        "fi et",
        "he yi",
        "en",
    )
)
"""Languages that are mixed up with each other, as the words of a short text go."""

CLD_CODES: Final = {"iw": "he", "jw": "jv", "nb": "no", "nn": "no", "tl": "fil", "zh-Hant": "zh"}


@dataclass(frozen=True, slots=True)
class Identified:
    """A language's base code, or "" for unknown, and whether one may rely on it."""

    code: str = ""
    sure: bool = False


UNKNOWN: Final = Identified()


def identify(text: str) -> Identified:
    """The language that most of ``text`` is in. Addresses, names and hashtags count as nothing."""
    count = letters(text)
    if not count:
        return UNKNOWN
    own, weight = weighed(text)
    if weight == SCRIPT:
        return Identified(own, sure=True)
    other, reliable = _cld(text)
    if own:
        return Identified(own, sure=own == other or weight >= WORDS)
    return Identified(other, sure=reliable and count.total() >= SURE_LETTERS)


def is_in(text: str, language: Language) -> bool:
    """Whether ``text`` is surely in ``language`` already, in its way of writing it too."""
    found = identify(text)
    if not found.sure or found.code != language.base:
        return False
    if language.base == "zh":
        return variety(text) == language.code
    return language.code in {language.base, "pt-BR"}


def related(one: str, other: str) -> bool:
    """Whether two codes mean the same language, or two that are mixed up with each other."""
    return one == other or any({one, other} <= near for near in NEAR)


def _cld(text: str) -> tuple[str, bool]:
    """CLD2's answer, and whether it calls it reliable. Symbols and controls it need not see."""
    plain = "".join(
        " " if unicodedata.category(c)[0] in "CS" else c
        for c in unicodedata.normalize("NFC", FIXED.sub(" ", text))
    )
    try:
        reliable, _, found = pycld2.detect(
            plain.encode("utf-8", "replace"), bestEffort=True, returnVectors=False
        )
    except pycld2.error:  # what it takes for no UTF-8
        return "", False
    code = CLD_CODES.get(found[0][1], found[0][1])
    known = find(code) if code != "un" else None
    return (known.base, bool(reliable)) if known is not None else ("", False)
