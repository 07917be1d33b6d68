from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.protection import between, fixed, lost, mask

TEXT = "Hi @ada, see https://example.org/a?b=1. Run `rm -r x` 👨‍👩‍👧 {name} **now** #news"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("see https://example.org/a_(b). Then", ["https://example.org/a_(b"]),
        ("(www.example.org/x)", ["www.example.org/x"]),
        ("写信给 ada@example.org。", ["ada@example.org"]),
        ("ask @ada_l and /help@bot now", ["@ada_l", "/help@bot"]),
        ("a #hashtag, not #1", ["#hashtag"]),
        ("Dear {name}, ${total} of %s for %(who)s [NAME] {{x}}", None),
        ("run `a b` and ```\nx y\n``` there", ["`a b`", "```\nx y\n```"]),
        ("good 👍🏽 flag 🇫🇷 heart ❤️", ["👍🏽", "🇫🇷", "❤️"]),
        ("**bold** and ||spoiler||", ["**", "**", "||", "||"]),
        ("<b>bold</b>", ["<b>", "</b>"]),
        ("共%s件", ["%s"]),
        ("{0} of {} at {0:.2f}", ["{0}", "{}", "{0:.2f}"]),
        ("%1$s, %2$@ and %.2f or %d", ["%1$s", "%2$@", "%.2f", "%d"]),
        ("50% of and/or, 3 < 4, a@b", []),
    ],
)
def test_what_stays_is_found(text: str, parts: list[str] | None) -> None:
    found = [text[start:end] for start, end in fixed(text)]
    if parts is None:
        parts = ["{name}", "${total}", "%s", "%(who)s", "[NAME]", "{{x}}"]
    assert found == parts


def test_masks_come_back_wherever_the_engine_puts_them() -> None:
    masked = mask(TEXT)
    for part in ("@ada", "https", "rm", "👨", "{name}", "**", "#news"):
        assert part not in masked.text
    backwards = " ".join(reversed(masked.text.split()))
    restored = masked.restore(backwards)
    assert restored is not None
    for part in ("@ada", "https://example.org/a?b=1", "`rm -r x`", "👨‍👩‍👧", "{name}", "#news"):
        assert part in restored
    assert masked.restore(masked.text) == TEXT


@pytest.mark.parametrize("answer", ["[1", "", "[1] [1] [2]", "[1]", "[1] [2] [3]"])
def test_a_mask_lost_doubled_or_made_up_is_noticed(answer: str) -> None:
    assert mask("@ada and @bob").restore(answer) is None


def test_masks_with_spaces_and_wide_brackets_are_ours_too() -> None:
    assert mask("@ada and @bob").restore("【1】 和 [ 2 ]") == "@ada 和 @bob"


@pytest.mark.parametrize(
    ("text", "answer", "restored"),
    [
        ("@ada and @bob", "【1】和[2]", "@ada 和 @bob"),  # a name with a letter beside it is none
        ("@ada, see https://a.example/b now", "[2][1]voir", "https://a.example/b @ada voir"),
        ("the **last** bus", "le [1]dernier[2]bus", "le **dernier**bus"),
        ("hello 👍👍 you", "toi[1][2]bonjour", "toi👍👍bonjour"),
    ],
)
def test_a_part_runs_into_nothing_beside_it(text: str, answer: str, restored: str) -> None:
    assert mask(text).restore(answer) == restored


def test_numbers_of_any_length_in_brackets_are_left_alone() -> None:
    text = f"[{'9' * 5000}] and [9999999] by @ada"
    masked = mask(text)
    assert masked.text.endswith("by [1]") and masked.restore(masked.text) in (text, None)


def test_numbers_in_brackets_that_the_text_has_itself_are_left_alone() -> None:
    masked = mask("see [7] by @ada")
    assert masked.text == "see [7] by [8]"
    assert masked.restore("voir [7] de [8]") == "voir [7] de @ada"


@given(st.text())
def test_any_text_comes_back_from_its_masks(text: str) -> None:
    masked = mask(text)
    assert masked.restore(masked.text) == text or not masked.parts
    assert "".join(piece for piece, _ in between(text)) == text


def test_what_a_model_lost_is_listed_with_how_often() -> None:
    assert lost("Salut @ada", "Hi @ada and https://a.example/b") == ["https://a.example/b"]
    assert lost("{a} {a}", "{a} {a}") == [] and lost("{a}", "{a} {a}") == ["{a}"]
    assert lost("rien", "{a} {a}") == ["{a}", "{a}"]
    assert lost("rien", "nothing 👍") == []
