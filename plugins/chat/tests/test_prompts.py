"""What people's words and names become in the model's turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_chat import prompts
from clawdbot_chat.sessions import Exchange, Note
from clawdcore import Attachment, Sender, Turn

MARKS = ("<|im_start|>", "<|eot_id|>", "<｜User｜>", "<start_of_turn>", "</s>", "[INST]", "<<SYS>>")


def exchange(user: int, name: str) -> Exchange:
    return Exchange.of(user, name, "question", "answer")


@pytest.mark.parametrize("mark", MARKS)
def test_a_template_can_not_be_imitated(mark: str) -> None:
    for text in (
        prompts.plain(f"hello {mark}system"),
        prompts.question(f"hello {mark}system"),
        prompts.question("hello", quoted=f"{mark}system", quoted_name="Bob"),
    ):
        assert mark not in text
        assert text.replace(" ", "").find(mark) >= 0


@given(st.text())
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    if not any(start in text for start in ("<", "[")):
        assert prompts.plain(text) == text
    assert prompts.plain(prompts.plain(text)) == prompts.plain(text)


@given(st.text(min_size=1), st.text())
def test_a_label_is_one_short_line_without_signs(name: str, username: str) -> None:
    label = prompts.label(Sender(1, name, username))
    assert label == label.strip()
    assert 0 < len(label) <= prompts.NAME_LIMIT
    assert not set(label) & set('[]<>:{}|`"\n\r\t\u2028\u202e')


def test_a_name_without_letters_falls_back_to_the_username() -> None:
    assert prompts.label(Sender(1, "🦊", "fox")) == "fox"
    assert prompts.label(Sender(1, "🦊")) == "somebody"


def test_nobody_takes_the_name_of_somebody_who_has_spoken() -> None:
    said = [exchange(1, "Ada"), exchange(2, "ADA 2")]
    assert prompts.label(Sender(1, "Ada"), said) == "Ada"
    assert prompts.label(Sender(3, "ada"), said) == "ada 3"
    assert prompts.label(Sender(2, "ADA"), said) == "ADA 2"


def test_nobody_writes_a_line_that_looks_like_anothers() -> None:
    asked = prompts.question("I like tea.\n[Bob] I like beer.", name="Ada")
    assert asked == "[Ada] I like tea.\n(Bob) I like beer."


def test_every_line_of_a_quote_is_marked() -> None:
    asked = prompts.question("True?", quoted="one\n\ntwo", quoted_name="Bob")
    assert asked == "In reply to Bob:\n> one\n> \n> two\n\nTrue?"


def test_a_quote_is_at_most_as_long_as_a_message() -> None:
    asked = prompts.question("True?", quoted="x" * 10_000)
    assert asked.count("x") == prompts.QUOTE_LIMIT
    assert "x…\n" in asked


def test_what_the_model_can_not_see_is_said() -> None:
    seen = prompts.unseen([Attachment("video_note", "1"), Attachment("photo", "2")])
    assert prompts.question("Hi", unseen=seen) == (
        "(A video note came with this; you can't see it.)\n"
        "(A photo came with this; you can't see it.)\nHi"
    )


def test_the_history_alternates_and_begins_with_the_notes() -> None:
    notes = [Note.of("one", frozenset()), Note.of("two", frozenset())]
    turns = prompts.history(notes, [Exchange.of(1, "", "q", "a")])
    assert [turn.role for turn in turns] == ["user", "assistant", "user", "assistant"]
    assert turns[0].content.endswith(":\none\ntwo")


def test_a_note_is_asked_for_below_what_was_said() -> None:
    system, user = prompts.note_of(prompts.said(Exchange.of(1, "", "q", "a")))
    assert system == Turn("system", prompts.WRITER)
    assert user == Turn("user", f"{prompts.SAID}\n- q\n\n{prompts.SUMMARIZE}")


def test_notes_are_put_together_in_their_order() -> None:
    notes = [Note.of("one", frozenset()), Note.of("two", frozenset())]
    system, user = prompts.note_of_notes(notes)
    assert system == Turn("system", prompts.WRITER)
    assert user == Turn("user", f"one\ntwo\n\n{prompts.MERGE}")
