"""Which segments are what somebody said, and which the model made up.

The first two bounds are those of "Robust Speech Recognition via Large-Scale Weak
Supervision" (Radford et al., 2022), section 4.5.
"""

from __future__ import annotations

from typing import Final

from .speech import Segment

NO_SPEECH: Final = 0.6
"""Above this probability nobody speaks, if the model is unsure of the words as well."""
UNSURE: Final = -1.0
"""Below this mean logarithm a model is unsure of its words."""
GUESSED: Final = -1.6
"""Below this one it guesses, whatever it says of speech: a fifth of a chance for each token."""
REPEATED: Final = 2.4
"""Above this compression a text says the same again and again."""

UNSPACED: Final = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})
"""Languages written without spaces between words."""


def plausible(segment: Segment) -> bool:
    """Whether a segment may be shown."""
    if not any(letter.isalnum() for letter in segment.text):
        return False
    if segment.compression > REPEATED or segment.log_prob < GUESSED:
        return False
    return not (segment.no_speech > NO_SPEECH and segment.log_prob < UNSURE)


def space(language: str) -> str:
    """What stands between two sentences of a language."""
    return "" if language in UNSPACED else " "


def joined(texts: list[str], language: str) -> str:
    """Texts as one, with a space between them where the language has spaces."""
    return space(language).join(text.strip() for text in texts if text.strip())
