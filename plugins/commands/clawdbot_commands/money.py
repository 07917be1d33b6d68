"""What ``/fx`` was asked: ``100 usd to cny``, ``eur usd gbp``, ``5 eur jpy 2024-02-29``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Final

from babel import Locale
from babel.numbers import format_currency, get_currency_precision

MOST_TARGETS: Final = 10
LARGEST: Final = Decimal(10) ** 15
FIRST: Final = date(1999, 1, 4)
"""The first day of the ECB's reference rates."""
_JOINS: Final = {"to", "in", "into", "=", "->", "and"}
_AMOUNT: Final = re.compile(r"(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(\.\d{1,6})?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_GLUED: Final = re.compile(r"([\d.,]+)([A-Za-z]{3})", re.ASCII)


class NotAsked(ValueError):
    """The words are no question for a rate.

    ``word`` is the one that is wrong, or "" where there are too few currencies or too many;
    ``nearest`` a known code that it may have meant, or "". ``day``: it is a day without rates.
    """

    def __init__(self, word: str = "", nearest: str = "", *, day: bool = False) -> None:
        super().__init__()
        self.word, self.nearest, self.day = word, nearest, day


@dataclass(frozen=True, slots=True)
class Asked:
    """An amount of ``base`` in each of ``targets``, of ``day`` or now."""

    amount: Decimal
    base: str
    targets: tuple[str, ...]
    day: date | None = None


@cache
def codes() -> frozenset[str]:
    """All ISO 4217 codes that CLDR knows."""
    return frozenset(Locale("en").currencies)


def _code(word: str) -> str:
    code = word.upper()
    if code in codes():
        return code
    near = get_close_matches(code, sorted(codes()), 1, 0.6) if code.isascii() else []
    raise NotAsked(word, near[0] if near else "")


def _amount(word: str) -> Decimal | None:
    if not _AMOUNT.fullmatch(word):
        return None
    amount = Decimal(word.replace(",", ""))
    if amount > LARGEST:
        raise NotAsked(word)
    return amount


def parse(text: str, today: date) -> Asked:
    """What ``text`` asks for. Raises :class:`NotAsked`."""
    amount: Decimal | None = None
    day: date | None = None
    found: list[str] = []
    for word in _GLUED.sub(r"\1 \2", text[:200]).replace(", ", " ").split():
        if word.lower() in _JOINS:
            continue
        if day is None and _DATE.fullmatch(word):
            try:
                day = date.fromisoformat(word)
            except ValueError:
                raise NotAsked(word, day=True) from None
            if not FIRST <= day <= today:
                raise NotAsked(word, day=True)
        elif amount is None and (number := _amount(word)) is not None:
            amount = number
        else:
            code = _code(word)
            if code not in found:
                found.append(code)
    if not 2 <= len(found) <= MOST_TARGETS + 1:
        raise NotAsked
    return Asked(Decimal(1) if amount is None else amount, found[0], tuple(found[1:]), day)


def spoken(amount: Decimal, code: str, locale: Locale) -> str:
    """The amount with as many decimals as the currency has (JPY 0, KWD 3); small ones more."""
    if amount and abs(amount) < Decimal(1).scaleb(-get_currency_precision(code)):
        return format_currency(
            amount, code, format="¤0.########", locale=locale, currency_digits=False
        )
    return format_currency(amount, code, locale=locale)
