"""What ``/fx`` was asked: ``100 usd to cny``, ``eur usd gbp``, ``5 eur jpy 2024-02-29``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from babel import Locale
from babel.numbers import format_currency, get_currency_precision

from .currencies import ENGLISH, called, codes

MOST_TARGETS: Final = 10
LARGEST: Final = Decimal(10) ** 15
FIRST: Final = date(1999, 1, 4)
"""The first day of the ECB's reference rates."""
_JOINS: Final = {"to", "in", "into", "=", "->", "and", "换", "兑", "换成", "是多少"}
_AMOUNT: Final = re.compile(r"(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(\.\d{1,6})?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_GLUED: Final = re.compile(r"(?<!\S)([0-9][0-9.,]*)([^\W\d_]+)(?!\S)")
_SIGNED: Final = re.compile(r"([€£¥￥$₽₹₩₺₴₫฿₦₱₪₸₼₾₡₲])")


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


def _code(words: list[str], locale: Locale) -> tuple[int, str]:
    """How many of ``words`` name a currency, and which. Raises :class:`NotAsked`."""
    code = words[0].upper()
    if code in codes():
        return 1, code
    for count, found in called(words, locale):
        if len(found) == 1:
            return count, found[0]
        raise NotAsked(words[0], found[0])  # which of them?
    near = get_close_matches(code, sorted(codes()), 1, 0.6) if code.isascii() else []
    raise NotAsked(words[0], near[0] if near else "")


def _amount(word: str) -> Decimal | None:
    if not _AMOUNT.fullmatch(word):
        return None
    amount = Decimal(word.replace(",", ""))
    if amount > LARGEST:
        raise NotAsked(word)
    return amount


def parse(text: str, today: date, locale: Locale = ENGLISH) -> Asked:
    """What ``text`` asks for; names of currencies may be English or of ``locale``.

    Raises:
        NotAsked: it is no question for a rate.
    """
    amount: Decimal | None = None
    day: date | None = None
    found: list[str] = []
    words = _SIGNED.sub(r" \1 ", _GLUED.sub(r"\1 \2", text[:200])).replace(", ", " ").split()
    while words:
        word = words.pop(0)
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
            count, code = _code([word, *words], locale)
            del words[: count - 1]
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
