"""Which writing systems a text is made of, from the names Unicode gives its letters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

ALPHABETS: Final[Mapping[str, frozenset[str]]] = {
    "Arab": frozenset({"ARABIC"}),
    "Armn": frozenset({"ARMENIAN"}),
    "Beng": frozenset({"BENGALI"}),
    "Cyrl": frozenset({"CYRILLIC"}),
    "Deva": frozenset({"DEVANAGARI"}),
    "Ethi": frozenset({"ETHIOPIC"}),
    "Geor": frozenset({"GEORGIAN"}),
    "Grek": frozenset({"GREEK"}),
    "Gujr": frozenset({"GUJARATI"}),
    "Guru": frozenset({"GURMUKHI"}),
    "Hans": frozenset({"CJK"}),
    "Hant": frozenset({"CJK"}),
    "Hebr": frozenset({"HEBREW"}),
    "Jpan": frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    "Khmr": frozenset({"KHMER"}),
    "Knda": frozenset({"KANNADA"}),
    "Kore": frozenset({"HANGUL", "CJK"}),
    "Laoo": frozenset({"LAO"}),
    "Latn": frozenset({"LATIN"}),
    "Mlym": frozenset({"MALAYALAM"}),
    "Mong": frozenset({"MONGOLIAN"}),
    "Mymr": frozenset({"MYANMAR"}),
    "Orya": frozenset({"ORIYA"}),
    "Sinh": frozenset({"SINHALA"}),
    "Taml": frozenset({"TAMIL"}),
    "Telu": frozenset({"TELUGU"}),
    "Thai": frozenset({"THAI"}),
    "Tibt": frozenset({"TIBETAN"}),
}
"""First words of the Unicode names of a script's letters, by ISO 15924 code."""

KANA: Final = frozenset({"HIRAGANA", "KATAKANA"})

DENSE: Final = KANA | {"CJK", "HANGUL"}
LETTERS_OF_DENSE: Final = 3
"""One of these says about as much as so many letters of an alphabet."""

FIXED: Final = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+|(?<!\w)[@#/]\w+")
"""What stays as it is in any language: addresses, mentions, hashtags, commands."""


def letters(text: str) -> Counter[str]:
    """How many letters of each alphabet (``"LATIN"``, ``"CJK"``) the text has.

    Addresses, mentions and the like count as nothing.
    """
    plain = unicodedata.normalize("NFKC", FIXED.sub(" ", text))
    found = (_alphabet(c) for c in plain if c.isalpha())
    return Counter(alphabet for alphabet in found if alphabet)


def main_script(text: str) -> str:
    """The ISO 15924 code that most of it is written in; "" when there is none we know.

    Kana make Han characters Japanese; Han characters alone are ``Hans``.
    """
    counts = letters(text)
    for alphabet in DENSE & counts.keys():
        counts[alphabet] *= LETTERS_OF_DENSE
    if not counts:
        return ""
    if KANA & counts.keys() and sum(counts[k] for k in ("CJK", *KANA)) * 2 > counts.total():
        return "Jpan"
    alphabet = counts.most_common(1)[0][0]
    if alphabet == "HANGUL":
        return "Kore"
    return next((code for code, names in ALPHABETS.items() if alphabet in names), "")


@lru_cache(maxsize=4096)
def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
