"""Where an unbroken text may be cut so that no sign on the screen falls apart. Pure.

The rules of extended grapheme clusters (Unicode Standard Annex 29) that matter to text in
chats: marks, joined emoji, flags, skin tones, conjuncts of Indic scripts, Thai and Lao AM,
and the letters that Hangul syllables are composed of.
"""

from __future__ import annotations

import unicodedata
from typing import Final

JOINER: Final = "\u200d"
AFTER: Final = frozenset({JOINER, "\u200c", "\u0e33", "\u0eb3", "\ufe0f", "\ufe0e", "\u20e3"})
"""Signs that belong to the one before, besides marks."""
VIRAMA: Final = 9
"""The combining class of what joins a consonant with the next (UnicodeData.txt)."""
LONGEST: Final = 64
"""Characters of one cluster at most; what is longer is no writing, and is cut anywhere."""


def cut_at(text: str, limit: int) -> int:
    """The last place, at most ``limit``, at which ``text`` may be cut; ``limit`` if there is none.

    0 < ``limit`` < ``len(text)``.
    """
    for at in range(limit, max(0, limit - LONGEST), -1):
        if not _joined(text, at):
            return at
    return limit


def _joined(text: str, at: int) -> bool:
    """Whether what stands before ``at`` belongs together with what stands there."""
    before, after = text[at - 1], text[at]
    if after in AFTER or _extends(after) or before == JOINER:
        return True
    if unicodedata.combining(before) == VIRAMA and after.isalpha():
        return True
    if _indicates(before) and _indicates(after):
        run = 1
        while run < at and _indicates(text[at - 1 - run]):
            run += 1
        return run % 2 == 1  # a flag is a pair
    return "\u1160" <= after <= "\u11ff" and "\u1100" <= before <= "\u11ff"


def _extends(sign: str) -> bool:
    """Whether it is a mark, a skin tone, or a letter of a flag's name."""
    return (
        unicodedata.category(sign) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or "\U000e0020" <= sign <= "\U000e007f"
    )


def _indicates(sign: str) -> bool:
    """Whether it is one of the two letters of a flag."""
    return "\U0001f1e6" <= sign <= "\U0001f1ff"
