"""Notes lose what repeats and, when they are too long, what was only asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_chat.notes import statements, tidy


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I live in Graz. I live in Graz.", "I live in Graz."),
        ("- How are you?\n- I am fine.\n\n- How are you?\n- I a", "How are you?\nI am fine."),
        ("我住在成都。我有一只猫。我住在成都。", "我住在成都。\n我有一只猫。"),
        ("It costs 3.50 euros at a.b. Really!", "It costs 3.50 euros at a.b.\nReally!"),
        (" \n - \n", ""),
        ("", ""),
    ],
)
def test_each_sentence_stays_once(text: str, kept: str) -> None:
    assert tidy(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("My dog is Bruno. Why is the sky blue? I'm 40.", "My dog is Bruno.\nI'm 40."),
        ("我叫王小明。为什么天空是蓝色的？", "我叫王小明。"),
        ("Why? Where?", ""),
    ],
)
def test_questions_go_and_statements_stay(text: str, kept: str) -> None:
    assert statements(text) == kept


@given(st.text())
def test_tidying_again_changes_nothing_and_adds_nothing(text: str) -> None:
    once = tidy(text)
    assert set(once) <= {*text, "\n"}
    assert tidy(statements(once)) == statements(once)
