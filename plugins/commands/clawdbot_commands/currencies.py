"""Currencies as people call them: codes, names of theirs and in English, signs. From CLDR."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name

ENGLISH: Final = Locale("en")
LONGEST: Final = 4
"""Words of a name at most (Bosnia-Herzegovina convertible mark)."""
COUNTS: Final = (1, 2, 5)
"""Numbers whose forms differ in the languages of CLDR: dollar and dollars, рубль and рублей."""


@cache
def codes() -> frozenset[str]:
    """All ISO 4217 codes that CLDR knows."""
    return frozenset(ENGLISH.currencies)


@cache
def current() -> frozenset[str]:
    """Those that are legal tender somewhere now."""
    territories = get_global("territory_currencies").values()
    return frozenset(
        code for each in territories for code, _, end, tender in each if tender and end is None
    )


@lru_cache(maxsize=64)
def _names(locale: Locale) -> dict[str, tuple[str, ...]]:
    """Codes by name and sign, in lower case; of a short name ("dollar") all that end with it."""
    found: dict[str, set[str]] = {}
    short: dict[str, set[str]] = {}
    for each in dict.fromkeys((locale, ENGLISH)):
        for code in sorted(current()):
            if code not in each.currencies:
                continue
            names = {each.currencies[code], *(get_currency_name(code, n, each) for n in COUNTS)}
            for name in {name.casefold() for name in names}:
                found.setdefault(name, set()).add(code)
                short.setdefault(name.split()[-1], set()).add(code)
            sign = each.currency_symbols.get(code, code).casefold()
            if sign != code.casefold() and not (each is ENGLISH and sign in found):
                found.setdefault(sign, set()).add(code)
    for word, several in short.items():
        found.setdefault(word, several)
    return {name: _ordered(several, locale) for name, several in found.items()}


def _ordered(several: set[str], locale: Locale) -> tuple[str, ...]:
    """The one with the plainest sign first: of all dollars that with "$"."""
    return tuple(sorted(several, key=lambda code: (len(_sign(code, locale)), code)))


def _sign(code: str, locale: Locale) -> str:
    return str(locale.currency_symbols.get(code) or ENGLISH.currency_symbols.get(code, code))


def called(words: list[str], locale: Locale) -> Iterator[tuple[int, tuple[str, ...]]]:
    """What the first of ``words`` name: how many they are, and the codes; the longest first."""
    names = _names(locale)
    for count in range(min(LONGEST, len(words)), 0, -1):
        found = names.get(" ".join(words[:count]).casefold())
        if found:
            yield count, found
