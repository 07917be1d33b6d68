"""Languages by their codes and their names (CLDR, through Babel)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from babel import Locale
from babel.core import UnknownLocaleError

ENGLISH: Final = Locale("en")
RENAMED: Final = {"jw": "jv", "iw": "he", "in": "id"}
"""Codes that whisper and old software use, and today's."""
_CODES: Final = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he "
    "hi hr ht hu hy id is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne "
    "nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk "
    "ur uz vi yi yo yue zh"
)
HEARD: Final = frozenset(_CODES.split())
"""What whisper models know, as today's codes (openai/whisper, ``tokenizer.py``)."""
WHISPERS: Final = {"jv": "jw"}
"""Today's codes, and those that whisper models have for them."""


def code_of(name: str) -> str:
    """The code of what a server calls a language: a code, or its English name; "" if neither."""
    name = name.strip().casefold()
    code = RENAMED.get(name, name)
    return code if code in ENGLISH.languages else _by_name().get(name, "")


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, name in ENGLISH.languages.items():
        found.setdefault(name.casefold(), code)
    return found


def spoken(words: str, reader: str) -> str:
    """The code of the language that somebody says is spoken; ``reader`` is their IETF tag.

    A code, with a region or not (``es``, ``es-MX``), or a name in English or in their own
    language.

    Raises:
        ValueError: we know none of that name that can be heard.
    """
    words = " ".join(words.casefold().replace("_", "-").split())
    code = RENAMED.get(words, words).partition("-")[0]
    if code not in HEARD:
        code = next((code for code, name in _names(reader) if name == words), "")
    if not code:
        raise ValueError("no language that can be heard")
    return code


@lru_cache(maxsize=64)
def _names(reader: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (code, locale.languages[code].casefold())
        for locale in (_locale(reader), ENGLISH)
        for code in sorted(HEARD)
        if code in locale.languages
    )


def name_of(code: str, reader: str) -> str:
    """The name of a language for a reader (an IETF tag); the code where CLDR has none."""
    code = RENAMED.get(code, code)
    found = _locale(reader).languages.get(code) or ENGLISH.languages.get(code) or code
    return str(found)


@lru_cache(maxsize=64)
def _locale(reader: str) -> Locale:
    for tag in (reader, reader.partition("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return ENGLISH
