from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.clusters import cut_at
from clawdbot_translate.splitting import split

WHOLE = [
    "👨‍👩‍👧‍👦",  # a family
    "👍🏽",  # a skin tone
    "🇩🇪",  # a flag
    "🏴󠁧󠁢󠁷󠁬󠁳󠁿",  # a flag with a name
    "❤️",
    "3️⃣",
    "é",
    "ก็",
    "น้ำ",
    "क्षि",
    "한",
    "a",
    "你",
]
"""Signs that are one each on the screen, of one or more characters."""


@given(st.lists(st.sampled_from(WHOLE), min_size=2, max_size=30), st.integers(8, 40))
def test_no_sign_falls_apart(signs: list[str], limit: int) -> None:
    text = "".join(signs)
    edges = {0}
    at = 0
    for sign in signs:
        at += len(sign)
        edges.add(at)
    parts = split(text, limit)
    assert "".join(part.text + part.gap for part in parts) == text
    at = 0
    for part in parts:
        assert len(part.text) <= limit
        at += len(part.text + part.gap)
        assert at in edges, [part.text for part in parts]


@pytest.mark.parametrize("sign", WHOLE)
def test_the_place_before_a_sign_that_does_not_fit_is_taken(sign: str) -> None:
    text = "x" * 20 + sign + "y"
    for limit in range(20, 20 + len(sign)):
        assert cut_at(text, limit) == 20
    assert cut_at(text, 20 + len(sign)) == 20 + len(sign)


def test_flags_are_pairs_from_where_the_row_begins() -> None:
    row = "🇩🇪🇫🇷🇮🇹"
    assert [cut_at(row, limit) for limit in range(2, 6)] == [2, 2, 4, 4]


@given(st.text(min_size=2, max_size=200), st.data())
def test_any_text_is_cut_and_never_beyond_the_limit(text: str, data: st.DataObject) -> None:
    limit = data.draw(st.integers(1, len(text) - 1))
    assert 0 < cut_at(text, limit) <= limit


def test_marks_without_end_are_cut_all_the_same() -> None:
    text = "a" + "\u0301" * 500
    assert cut_at(text, 300) == 300
    assert all(len(part.text) <= 100 for part in split(text, 100))
