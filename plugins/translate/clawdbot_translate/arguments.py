"""What the words after ``/translate`` mean: a language, a text, or both."""

from __future__ import annotations

import re
from typing import Final

from .ambiguous import names_language
from .languages import Language, find, is_code, longest_name

WORD: Final = re.compile(r"\S+")
LED: Final = re.compile(r"(?!ps:)([^\s:：]{2,30})\s?[:：](?!//)\s*", re.IGNORECASE)
"""A word and a colon, as in ``fr: Good morning`` and ``法语：早上好``, but no postscript."""

TOWARDS: Final = frozenset({"to", "into"})
"""``/translate to french …``; before a name only, never before a code."""


def split(words: str, *, quoting: bool) -> tuple[Language | None, str]:
    """The language asked for, or None, and the text that was typed, or "".

    ``quoting``: the command replies to a message, so that a language alone is
    enough, whatever else its letters may mean.
    """
    words = words.strip()
    led = LED.match(words)
    if led is not None:
        language = find(led[1])
        if language is not None:
            return language, words[led.end() :]
    spans = [match.span() for match in WORD.finditer(words)][: longest_name() + 1]
    if spans and words[slice(*spans[0])].casefold() in TOWARDS:
        language, text = _leading(words, spans[1:], quoting=quoting, codes=False)
        if language is not None:
            return language, text
    return _leading(words, spans, quoting=quoting, codes=True)


def _leading(
    words: str, spans: list[tuple[int, int]], *, quoting: bool, codes: bool
) -> tuple[Language | None, str]:
    """The longest name of a language that the words begin with, and what follows it."""
    for last in reversed(range(min(len(spans), longest_name()))):
        start, end = spans[0][0], spans[last][1]
        name, text = words[start:end], words[end:].strip()
        if last:
            name = name.rstrip(":：")
        language = find(name)
        if language is None:
            continue
        if not text and quoting:
            return language, ""
        if names_language(name, text) and (codes or not is_code(name)):
            return language, text
    return None, words


def languages_in(words: str) -> tuple[list[Language], str]:
    """The languages that a list names, each once, and the first word that is none, or "".

    Names may have several words; commas, slashes and "and" may stand between them.
    """
    rest = re.sub(r"[,;/+、，；]|\band\b|和", " ", words).split()
    found: list[Language] = []
    while rest:
        for count in reversed(range(1, min(len(rest), longest_name()) + 1)):
            language = find(" ".join(rest[:count]))
            if language is not None:
                found.append(language)
                rest = rest[count:]
                break
        else:
            return list(dict.fromkeys(found)), rest[0]
    return list(dict.fromkeys(found)), ""
