"""How /fx reads a question."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_commands.currencies import current
from clawdbot_commands.money import Asked, NotAsked, codes, parse, spoken

TODAY = date(2026, 1, 2)


@given(
    st.decimals(0, 10**9, places=2),
    st.lists(st.sampled_from(sorted(codes())), min_size=2, max_size=11, unique=True),
    st.none() | st.dates(date(1999, 1, 4), TODAY),
)
def test_what_is_written_is_what_is_read(
    amount: Decimal, names: list[str], day: date | None
) -> None:
    text = f"{amount} {names[0].lower()} to {' '.join(names[1:])} {day or ''}"
    assert parse(text, TODAY) == Asked(amount, names[0], tuple(names[1:]), day)


@given(st.text(max_size=300))
def test_anything_else_is_refused_and_nothing_more(text: str) -> None:
    try:
        asked = parse(text, TODAY)
    except NotAsked:
        return
    assert asked.amount >= 0 and asked.targets


def test_the_nearest_code() -> None:
    with pytest.raises(NotAsked) as told:
        parse("1 usd to eurr", TODAY)
    assert told.value.nearest == "EUR"


def test_days_that_have_no_rates() -> None:
    for day in ("1998-01-01", "2026-01-03", "2024-02-30"):
        with pytest.raises(NotAsked):
            parse(f"usd eur {day}", TODAY)


def test_minor_units() -> None:
    english = Locale("en")
    assert spoken(Decimal("1234.5678"), "JPY", english) == "¥1,235"
    assert spoken(Decimal("1.23456"), "KWD", english).endswith("1.235")
    assert "0.0066" in spoken(Decimal("0.0066"), "USD", english)


CHINESE = Locale.parse("zh_Hans")
GERMAN = Locale("de")


@pytest.mark.parametrize(
    ("text", "locale", "base", "targets"),
    [
        ("100 euros in yen", Locale("en"), "EUR", ("JPY",)),
        ("100 US dollars to Swiss francs", Locale("en"), "USD", ("CHF",)),
        ("100 British pounds to euro", Locale("en"), "GBP", ("EUR",)),
        ("100 欧元 人民币", CHINESE, "EUR", ("CNY",)),
        ("100欧元 换 人民币 日元", CHINESE, "EUR", ("CNY", "JPY")),
        ("100 Schweizer Franken in Euro", GERMAN, "CHF", ("EUR",)),
        ("100 us dollars to yen", GERMAN, "USD", ("JPY",)),
        ("€100 to $", Locale("en"), "EUR", ("USD",)),
        ("100€ in £", GERMAN, "EUR", ("GBP",)),
        ("100 российских рублей usd", Locale("ru"), "RUB", ("USD",)),
    ],
)
def test_currencies_are_known_by_their_names_and_signs(
    text: str, locale: Locale, base: str, targets: tuple[str, ...]
) -> None:
    assert parse(text, TODAY, locale) == Asked(Decimal(100), base, targets)


def test_the_same_sign_is_another_currency_to_another_reader() -> None:
    assert parse("100 ¥ usd", TODAY, Locale("en")).base == "JPY"
    assert parse("100 ¥ usd", TODAY, CHINESE).base == "CNY"


@pytest.mark.parametrize(
    ("text", "locale", "nearest"),
    [
        ("100 dollars to euro", Locale("en"), {"USD"}),
        ("1 eur in pesos", Locale("en"), {"PHP", "MXN", "ARS"}),
        ("100 рублей usd", Locale("ru"), {"RUB"}),
    ],
)
def test_a_name_that_several_have_is_asked_back(
    text: str, locale: Locale, nearest: set[str]
) -> None:
    with pytest.raises(NotAsked) as told:
        parse(text, TODAY, locale)
    assert told.value.nearest in nearest


@given(st.sampled_from(sorted(codes())), st.sampled_from(["en", "de", "zh_Hans", "ru", "ar", "hi"]))
def test_every_name_of_a_currency_leads_to_it_or_is_asked_back(code: str, tag: str) -> None:
    locale = Locale.parse(tag)
    other = "USD" if code != "USD" else "EUR"
    try:
        asked = parse(f"{locale.currencies.get(code, code)} {other}", TODAY, locale)
    except NotAsked:
        return
    assert asked.targets == (other,)
    assert asked.base == code or code not in current()  # an old one, and today's of that name
