"""What the demo's screen shows of drafts and messages."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.cli.demo_transcript import Step, Transcript


def draft(text: str) -> dict[str, Any]:
    return {"kind": "draft", "message": {"draft_id": 1, "text": text}}


def sent(text: str) -> dict[str, Any]:
    return {"kind": "sent", "message": {"text": text}}


def shown(*events: dict[str, Any]) -> str:
    """The events as a reader sees them; ``>`` begins a message."""
    transcript = Transcript(lambda message: "")
    out = ""
    for event in events:
        for step in transcript.take(event):
            match step.kind:
                case "start":
                    out += "> "
                case "more":
                    out += step.text
                case "end":
                    out += "\n"
                case "note":
                    out += f"({step.text})\n"
    return out


def test_drafts_show_what_grew_and_the_message_completes_the_line() -> None:
    transcript = Transcript(lambda message: "")
    assert transcript.take(draft("Hel")) == [Step("start"), Step("more", "Hel")]
    assert transcript.take(draft("Hello wor")) == [Step("more", "lo wor")]
    assert transcript.take(sent("Hello world")) == [Step("more", "ld"), Step("end")]
    assert transcript.take(sent("Next")) == [Step("start"), Step("more", "Next"), Step("end")]


@given(st.text(min_size=1), st.lists(st.integers(0, 50)))
def test_any_growth_ends_as_the_message(text: str, lengths: list[int]) -> None:
    drafts = [draft(text[:length]) for length in sorted(lengths)]
    assert shown(*drafts, sent(text)) == f"> {text}\n"


def test_a_long_answer_shows_each_part_once() -> None:
    events = [draft("aaa"), draft("aaaa"), draft("bb"), sent("aaaa"), sent("bbb"), sent("c")]
    assert shown(*events) == "> aaaa\n> bbb\n> c\n"


def test_a_message_that_says_something_else_is_shown_whole() -> None:
    assert shown(draft("Hello"), sent("Sorry")) == "> Hello\n> Sorry\n"
    assert shown(draft("aaa"), draft("bb"), sent("aaaa"), sent("bbb")) == (
        "> aaa\n> bb\n> aaaa\n> bbb\n"
    )


def test_edits_and_deletions_are_notes_and_files_are_named() -> None:
    assert shown({"kind": "edit", "message": {"text": "new"}}) == "(edited: new)\n"
    assert shown({"kind": "delete", "message": {"text": "gone"}}) == "(deleted a message)\n"
    assert shown({"kind": "action", "message": {"action": "typing"}}) == ""
    photo = {"kind": "sent", "message": {"photo": [{}], "caption": "a cat"}}
    assert shown(photo) == "> [photo] a cat\n"


def test_whom_it_answers_is_told_with_the_message() -> None:
    transcript = Transcript(lambda message: "→ Bob")
    assert transcript.take(sent("Hi"))[0] == Step("start", "→ Bob")
