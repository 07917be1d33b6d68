from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.splitting import split


def whole(text: str, limit: int) -> str:
    return "".join(part.text + part.gap for part in split(text, limit))


def test_a_short_text_is_one_part() -> None:
    (part,) = split("One. Two.\n\nThree.", 100)
    assert part.text == "One. Two.\n\nThree." and part.wanted


def test_long_texts_break_at_paragraphs_then_sentences_then_words() -> None:
    text = "First line here.\nSecond sentence. Third one!  Fourth?"
    assert [part.text for part in split(text, 20)] == [
        "First line here.",
        "Second sentence.",
        "Third one!  Fourth?",
    ]
    assert [part.text for part in split("aaa bbb ccc", 7)] == ["aaa bbb", "ccc"]
    assert [part.text for part in split("abcdefgh", 3)] == ["abc", "def", "gh"]


def test_chinese_sentences_end_without_a_space() -> None:
    assert [part.text for part in split("今天很好。明天见！好吗？", 6)] == [
        "今天很好。",
        "明天见！",
        "好吗？",
    ]


def test_code_is_a_part_that_is_not_translated() -> None:
    parts = split("Run:\n```\nx = 1\n```\nDone.", 100)
    assert [(part.text, part.wanted) for part in parts if part.text] == [
        ("Run:", True),
        ("```\nx = 1\n```", False),
        ("Done.", True),
    ]


@given(st.text(alphabet="ab .!?。！\n\t`你", max_size=200), st.integers(1, 40))
def test_the_parts_give_the_text_again_and_none_is_too_long(text: str, limit: int) -> None:
    assert whole(text, limit) == text
    assert all(len(part.text) <= limit for part in split(text, limit) if part.wanted)
