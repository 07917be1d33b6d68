from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clawdbot_translate.cleaning import HEAD_BYTES, clean, settled

SOURCE = "The meeting starts at nine."
LONG = (
    "Die Besprechung beginnt um neun und dauert bis zum Mittag, danach essen wir alle zusammen "
    "im Garten "
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Das Treffen beginnt um neun.", "Das Treffen beginnt um neun."),
        ("  Das Treffen beginnt um neun.\n", "Das Treffen beginnt um neun."),
        ("Translation: Das Treffen beginnt um neun.", "Das Treffen beginnt um neun."),
        ("German: Das Treffen beginnt um neun.", "Das Treffen beginnt um neun."),
        ("**German:** Das Treffen beginnt um neun.", "Das Treffen beginnt um neun."),
        ("Simplified Chinese: 会议九点开始。", "会议九点开始。"),
        ("译文：会议九点开始。", "会议九点开始。"),
        ("中文：会议九点开始。", "会议九点开始。"),
        ("Übersetzung: Das Treffen beginnt um neun.", "Das Treffen beginnt um neun."),
        ("Here is the translation:\n\nDas Treffen beginnt.", "Das Treffen beginnt."),
        ("Sure! Here it is:\n```\nDas Treffen beginnt.\n```", "Das Treffen beginnt."),
        ("Here is the translation:\nGerman: Das Treffen beginnt.", "Das Treffen beginnt."),
        ("Here is the translation:", ""),
        ('"Das Treffen beginnt um neun."', "Das Treffen beginnt um neun."),
        ("„Das Treffen beginnt um neun.“", "Das Treffen beginnt um neun."),
        ("« La réunion commence à neuf heures. »", "La réunion commence à neuf heures."),
        ("「会議は九時に始まります。」", "会議は九時に始まります。"),
        ("Das Treffen beginnt.\nNote: informal.", "Das Treffen beginnt."),
        ("Das Treffen beginnt.\n\n(Note: informal.)", "Das Treffen beginnt."),
        ("Das Treffen beginnt. (Note: informal.)", "Das Treffen beginnt."),
        ("会议九点开始。（注：口语）", "会议九点开始。"),
        ("会议九点开始。\n\n这句话的意思是会议在九点。", "会议九点开始。"),
        ("Das Treffen beginnt (wie immer).", "Das Treffen beginnt (wie immer)."),
        ("Achtung: das Treffen beginnt.", "Achtung: das Treffen beginnt."),
        ("Er sagte „ja“ und „nein“", "Er sagte „ja“ und „nein“"),
        ("„Ja“ und „nein“", "„Ja“ und „nein“"),
        ("", ""),
    ],
)
def test_only_the_translation_is_left(answer: str, expected: str) -> None:
    assert clean(answer, SOURCE) == expected


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ('"Hello," she said."', '"Hallo", sagte sie."'),
        ("“Hello”", "„Hallo“"),
        ("Translation: a hard craft", "Translation: ein schweres Handwerk"),
        ("English: my favourite subject", "English: mein Lieblingsfach"),
        ("Remember:", "Denk daran:"),
        ("Nine (sharp)", "Neun (Note: pünktlich)"),
        ("One\nNote: two", "Eins\nZwei"),
        ("Groceries\nmilk", "Einkäufe:\nMilch"),
        ("One\n\nTwo\nThree", "Eins\n\nZwei\nDrei"),
        ("```\nprint\n```", "```\ndrucken\n```"),
    ],
)
def test_what_the_source_has_itself_stays(source: str, answer: str) -> None:
    assert clean(answer, source) == answer


def test_a_preamble_to_several_lines_is_one_line_too_many() -> None:
    assert clean("Here it is:\n\nEinkäufe\nMilch", "Groceries\nmilk") == "Einkäufe\nMilch"


def test_lines_beyond_the_sources_are_dropped() -> None:
    assert clean("Eins\nZwei\nDrei", "One\nTwo") == "Eins\nZwei"


def test_nothing_is_settled_before_a_label_would_have_ended() -> None:
    assert settled("Das Treffen", SOURCE) == ""
    assert settled("x" * HEAD_BYTES, SOURCE) == ""
    assert settled(LONG + "und", SOURCE) == LONG + "und"


def test_a_long_answer_is_shown_as_it_grows_without_its_label() -> None:
    assert settled("German: " + LONG, SOURCE) == LONG.rstrip()


@pytest.mark.parametrize(
    "answer", [f'"{LONG}', f"```\n{LONG}", "Here is the translation you asked for:\n"]
)
def test_what_may_still_be_taken_off_is_held_back(answer: str) -> None:
    assert settled(answer, SOURCE) == ""


def test_a_bracket_is_held_back_since_a_note_may_follow() -> None:
    assert settled(LONG + "(No", SOURCE) == LONG.rstrip()


def test_a_further_line_is_shown_when_it_is_complete() -> None:
    source = "One\nTwo"
    assert settled(f"{LONG}\nZwe", source) == LONG.rstrip()
    assert settled(f"{LONG}\nZwei\n", source) == f"{LONG.rstrip()}\nZwei"


ANSWERS = st.lists(
    st.sampled_from(
        [
            "Translation: ",
            "German:",
            "Here it is:\n",
            "\n",
            "\n\n",
            " ",
            '"',
            "„",
            "“",
            "(Note: ",
            "(",
            ")",
            "Note: informal",
            "```\n",
            "word ",
            "Straße, ",
            "会议",
            "：",
            LONG,
        ]
    ),
    max_size=12,
).map("".join)


@given(ANSWERS, st.sampled_from([SOURCE, "One\nTwo\nThree", "(a)", '"q"', "a:\nb"]), st.data())
@example("", SOURCE, None)
def test_what_was_settled_is_never_taken_back(
    answer: str, source: str, data: st.DataObject | None
) -> None:
    at = len(answer) if data is None else data.draw(st.integers(0, len(answer)))
    assert clean(answer, source).startswith(settled(answer[:at], source))


@given(st.text(), st.text())
def test_any_answer_to_any_text_can_be_cleaned(answer: str, source: str) -> None:
    cleaned = clean(answer, source)
    assert cleaned == cleaned.strip()
    assert all(line.rstrip() in answer for line in cleaned.splitlines())
