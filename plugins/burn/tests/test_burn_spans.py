"""Spans as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_burn import spans


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("60", 60),
        ("30s", 30),
        ("10m", 600),
        (" 2 H ", 7200),
        ("1d", 86_400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5h", None),
        ("10m extra", None),
        ("1" * 30, None),
        ("٣", None),
    ],
)
def test_a_span_is_read(text: str, span: int | None) -> None:
    assert spans.seconds(text) == span


@given(st.integers(1, spans.LONGEST))
def test_what_is_written_says_it_exactly(span: int) -> None:
    parts = [spans.seconds(part) for part in spans.written(span).split()]
    assert sum(part or 0 for part in parts) == span


@given(st.text())
def test_whatever_is_written_is_a_span_or_none(text: str) -> None:
    found = spans.seconds(text)
    assert found is None or found >= 0
