"""Languages by the names that a reader gives them (CLDR, through Babel)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError

from .languages import Language

SPELLED: Final = {"zh": "zh_Hans"}
"""Our codes whose CLDR name would leave out what we mean by them: simplified Chinese."""


def name_in(language: Language, reader: str, *, spoken: bool = False) -> str:
    """Its name in the language of the IETF tag ``reader``; in English where CLDR has none.

    ``spoken``: of the language, however it is written.
    """
    locale = _locale(reader)
    if locale is not None:
        code = language.base if spoken else SPELLED.get(language.code, language.code)
        name = locale.languages.get(code.replace("-", "_"))
        if not name and "-" in code:
            name = Locale.parse(code, sep="-").get_display_name(locale)
        if name:
            return str(name)
    return language.name_for(reader)


def listed(languages: Iterable[Language], reader: str) -> str:
    """``name (code)`` of each, in the order of the names."""
    entries = sorted((name_in(each, reader), each.code) for each in languages)
    return ", ".join(f"{name} ({code})" for name, code in entries)


@lru_cache(maxsize=64)
def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag or "en", sep="-") if tag.isascii() else None
    except (ValueError, UnknownLocaleError):
        base = tag.partition("-")[0]
        return None if base == tag else _locale(base)
