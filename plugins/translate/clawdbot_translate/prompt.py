"""What the model is asked: a few examples into the wanted language, then the text.

Two ways of asking, so that a second try is not the first again. The prompts
that were tried and their figures stand in ``docs/adr/0005-translation-prompt.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from clawdcore import Turn

from .examples import SENTENCES
from .guessing import guess
from .languages import Language

WIDE: Final = frozenset({"Hans", "Hant", "Jpan", "Kore"})
"""Scripts in which a character stands for a syllable or a word."""

SHORT: Final = frozenset({"Arab", "Cyrl", "Latn"}) | WIDE
"""Scripts that tokenizers know well: hardly more than one token a character."""

SPARE_TOKENS: Final = 24
"""So much longer a translation of a word or two may be."""


class Way(Enum):
    """How the examples are laid out."""

    TURNS = "turns"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt with its bounds, as :class:`clawdcore.Request` takes them."""

    turns: tuple[Turn, ...]
    max_tokens: int
    temperature: float
    stop: tuple[str, ...]


def ask(text: str, target: Language, way: Way) -> Question:
    """The prompt that gets ``text`` translated into ``target``."""
    turns = _turns(text, target) if way is Way.TURNS else _block(text, target)
    return Question(
        turns=turns,
        max_tokens=max_tokens(text, target),
        temperature=0.0 if way is Way.TURNS else 0.5,
        stop=() if "\n" in text.strip() else ("\n",),
    )


def max_tokens(text: str, target: Language) -> int:
    """Tokens that no translation of ``text`` needs more than.

    A character gives at most three where one writes a word, and a token for
    each (three in scripts that tokenizers spell out); twice that is a loop.
    """
    wide = sum(ord(c) > 0x2E7F for c in text)  # CJK radicals and beyond
    characters = len(text) + 2 * wide
    return SPARE_TOKENS + characters * (1 if SHORT.intersection(target.scripts) else 3)


def pairs(text: str, target: Language) -> list[tuple[str, str, str]]:
    """Examples: a sentence, the name of a language, and the sentence in it.

    They are in the text's language where we have it, and into ``target`` where
    we have that; else into three other languages, to show what is wanted.
    """
    source = guess(text)
    if source not in SENTENCES or source == target.base:
        source = "zh" if target.base == "en" else "en"
    if target.code in SENTENCES:
        both = zip(SENTENCES[source], SENTENCES[target.code], strict=True)
        return [(given, target.name, wanted) for given, wanted in both]
    others = [code for code in ("fr", "de", "ru", "es") if code != source][:3]
    return [
        (SENTENCES[source][number], Language.parse(code).name, SENTENCES[code][number])
        for number, code in enumerate(others)
    ]


def _turns(text: str, target: Language) -> tuple[Turn, ...]:
    turns = [
        Turn(
            "system",
            f"You are a translation engine. You translate text into {target.name} "
            "and never answer it.",
        )
    ]
    for given, name, wanted in pairs(text, target):
        turns += [Turn("user", f"Translate into {name}: {given}"), Turn("assistant", wanted)]
    return (*turns, Turn("user", f"Translate into {target.name}: {text}"))


def _block(text: str, target: Language) -> tuple[Turn, ...]:
    shown = [f"Text: {given}\n{name}: {wanted}" for given, name, wanted in pairs(text, target)]
    return (
        Turn("system", f"You complete the translation of the last text into {target.name}."),
        Turn("user", "\n\n".join([*shown, f"Text: {text}\n{target.name}:"])),
    )
