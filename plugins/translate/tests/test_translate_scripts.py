from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.scripts import ALPHABETS, letters, main_script


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Good morning", "Latn"),
        ("Où est la gare ?", "Latn"),
        ("明天见", "Hans"),
        ("駅はどこですか", "Jpan"),
        ("ｶﾀｶﾅ", "Jpan"),
        ("カタカナ", "Jpan"),
        ("어디에 살아요?", "Kore"),
        ("Где вокзал?", "Cyrl"),
        ("أين المحطة؟", "Arab"),
        ("iPhone 很贵，我们不买", "Hans"),
        ("I said こんにちは to the whole class", "Latn"),
        ("12:30 👍 …", ""),
        ("https://example.org/a @ada #news a@b.org", ""),
        ("", ""),
    ],
)
def test_the_main_script(text: str, script: str) -> None:
    assert main_script(text) == script


@given(st.text())
def test_every_letter_counts_once_and_nothing_else_does(text: str) -> None:
    counts = letters(text)
    assert counts.total() <= 20 * len(text)  # NFKC makes up to 18 letters of one
    assert main_script(text) in {"", *ALPHABETS}


@given(st.from_regex(r"[0-9 .,!?:+-]{0,30}", fullmatch=True))
def test_digits_and_marks_have_no_script(text: str) -> None:
    assert main_script(text) == ""
    assert not letters(text)
