"""Languages by their codes and their names (CLDR, through Babel)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from babel import Locale
from babel.core import UnknownLocaleError

ENGLISH: Final = Locale("en")
RENAMED: Final = {"jw": "jv", "iw": "he", "in": "id"}
"""Codes that whisper and old software use, and today's."""


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
