"""How /fx reads a question."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

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
