"""Notices an answer that is no translation: the source again, or its language still."""

from __future__ import annotations

import unicodedata
from typing import Final

from .guessing import guess
from .identification import identify, related
from .languages import Language
from .scripts import ALPHABETS, FIXED, KANA, letters

NAME_WORDS: Final = 3
NAME_LETTERS: Final = 6
"""What may be a name, and the same in both languages: so many words, or Han characters."""

SENTENCE_WORDS: Final = 5
"""Words from which on the everyday words of a Latin text tell its language."""

JAPANESE_LETTERS: Final = 8
"""Han characters in a row that Japanese hardly writes without kana between them."""


def translatable(text: str) -> bool:
    """Whether there is anything to translate: a letter outside addresses and mentions."""
    return bool(letters(text))


def may_stay(text: str) -> bool:
    """Whether ``text`` may be the same in another language: a name, a brand, ``OK``.

    One word may; two or three when each is written as a name is.
    """
    words = FIXED.sub(" ", text).split()
    if any(letters(word)["CJK"] > NAME_LETTERS for word in words):
        return False
    return len(words) == 1 or (
        len(words) <= NAME_WORDS and not any(word.islower() for word in words)
    )


def normalised(text: str) -> str:
    """Its letters and digits alone, in one case and width: what an echo repeats."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum())


def is_echo(answer: str, source: str) -> bool:
    """Whether the answer repeats the source, whatever the case and punctuation."""
    return normalised(answer) == normalised(source)


def written_in(text: str, language: Language) -> bool:
    """Whether any letter of ``text`` belongs to a script of ``language``.

    Japanese also needs kana unless it is short, and Chinese must have none.
    """
    counts = letters(text)
    if not counts:
        return True
    kana = sum(counts[name] for name in KANA)
    if language.scripts[0] == "Jpan" and not kana:
        return 0 < counts["CJK"] < JAPANESE_LETTERS
    if language.scripts[0] in {"Hans", "Hant"} and kana:
        return False
    return any(counts[name] for script in language.scripts for name in ALPHABETS[script])


def is_translation(answer: str, source: str, target: Language) -> bool:
    """Whether ``answer`` may be a translation of ``source`` into ``target``.

    False for nothing at all, for the source again, for text in another script,
    and for a Latin sentence that is still in the source's language.
    """
    if not normalised(answer) or is_echo(answer, source):
        return False
    if not written_in(answer, target):
        return False
    return not _stays(answer, source, target)


def undecided(answer: str, source: str, target: Language) -> bool:
    """Whether the beginning of an answer can still turn out to be no translation."""
    said = normalised(answer)
    if not said or normalised(source).startswith(said):
        return True
    if not written_in(answer, target):
        return True
    few = "Latn" in target.scripts and len(answer.split()) < SENTENCE_WORDS
    return few or _stays(answer, source, target)


def _stays(answer: str, source: str, target: Language) -> bool:
    """Whether the answer is in another language than ``target``.

    Of a short answer that must be sure, and not one that is easily mixed up with it.
    """
    guessed = guess(answer)
    sentence = bool(guessed) and len(answer.split()) >= SENTENCE_WORDS
    if sentence and guessed == guess(source) != target.base:
        return True
    found = identify(answer)
    return found.sure and not related(found.code, target.base)
