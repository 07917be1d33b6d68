"""What became of a rehearsal's messages, read from what the bot did in the chats."""

from __future__ import annotations

from typing import Any

import pytest

from clawdcore.cli.rehearse_outcome import LANGUAGE, Asked, Outcome, outcomes
from clawdcore.edge.delivery.merging import ALSO, SEPARATOR
from clawdcore.errors import BackendUnavailable
from clawdcore.worker import notices

ADA, BOB, EVE = 1, 2, 3
GROUP = -5


NAMES = {ADA: "Ada", BOB: "Bob", EVE: "Eve"}


def asked(number: int, user: int = ADA, chat: int | None = None, due: float = 10.0) -> Asked:
    place = user if chat is None else chat
    return Asked(due=due, user=user, chat=place, message_id=number, group=place < 0)


def event(
    text: str,
    *,
    to: int | None = None,
    chat: int = ADA,
    at: float = 11.0,
    number: int = 900,
    kind: str = "sent",
    named: tuple[int, ...] = (),
) -> dict[str, Any]:
    message: dict[str, Any] = {"message_id": number, "text": text}
    if to is not None:
        message["reply_to_message"] = {"message_id": to}
    at_unit = 0
    message["entities"] = entities = []
    for person in named:
        at_unit = text.index(NAMES[person], at_unit)
        entities.append({"type": "text_mention", "offset": at_unit, "user": {"id": person}})
    return {"kind": kind, "chat_id": chat, "message": message, "at": at}


def kinds(questions: list[Asked], *events: dict[str, Any]) -> list[str]:
    return [each.kind for each in outcomes(questions, events)]


def test_an_answer_is_whom_it_quotes() -> None:
    found = outcomes([asked(1), asked(2)], [event("Yes.", to=2, at=12.5)])
    assert found == [Outcome(), Outcome("answered", 12.5)]


def test_what_quotes_nobody_answers_the_first_that_waits_in_the_chat() -> None:
    questions = [asked(1), asked(2), asked(3, BOB)]
    assert kinds(questions, event("Yes.")) == ["answered", "open", "open"]
    assert kinds(questions, event("a", to=1), event("b", number=901)) == [
        "answered",
        "answered",
        "open",
    ]


def test_an_answer_is_there_when_the_last_of_it_is() -> None:
    long = event("x" * 3000, to=1, at=11.0)
    rest = event("the end", at=12.0, number=901)
    assert outcomes([asked(1), asked(2)], [long, rest]) == [Outcome("answered", 12.0), Outcome()]
    grown = event("whole", kind="edit", at=15.0)
    assert outcomes([asked(1)], [event("wh", to=1), grown]) == [Outcome("answered", 15.0)]


def test_somebodys_place_in_line_is_no_answer() -> None:
    place = event(notices.in_line(3, 20, LANGUAGE), to=1)
    assert kinds([asked(1)], place) == ["open"]
    after = event("Yes.", to=1, at=20.0, number=901)
    assert outcomes([asked(1)], [place, after]) == [Outcome("answered", 20.0)]


def test_a_refusal_has_its_time() -> None:
    refusal = event(notices.refused(1, 40, LANGUAGE), to=1)
    assert outcomes([asked(1)], [refusal]) == [Outcome("refused", 11.0, 40.0)]


def test_a_refusal_for_several_counts_for_those_that_got_nothing_else() -> None:
    questions = [asked(n, user, GROUP) for n, user in ((1, ADA), (2, BOB), (3, EVE), (4, ADA))]
    refusal = event(notices.refused(3, 40, LANGUAGE), to=4, chat=GROUP)
    answer = event("Yes.", to=2, chat=GROUP, at=12.0, number=901)
    assert kinds(questions, refusal, answer) == ["refused", "answered", "refused", "refused"]


def test_a_refusal_for_several_speaks_for_nobody_who_wrote_later() -> None:
    questions = [asked(1, ADA, GROUP), asked(2, BOB, GROUP, due=50.0)]
    assert kinds(questions, event(notices.refused(2, 40, LANGUAGE), to=1, chat=GROUP)) == [
        "refused",
        "open",
    ]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (notices.too_late(LANGUAGE), "late"),
        (notices.cut("It began", notices.too_late(LANGUAGE)), "late"),
        (notices.failed(LANGUAGE), "failed"),
        (notices.backend(BackendUnavailable("gone"), LANGUAGE), "failed"),
        (notices.cut("It began", notices.backend(BackendUnavailable("x"), LANGUAGE)), "failed"),
        (notices.resting(30, LANGUAGE), "failed"),
        (notices.nothing(LANGUAGE), "failed"),
        (notices.cut("It began", notices.refused(1, 7, LANGUAGE)), "refused"),
        ("A list [1] and [2]", "answered"),
        ("I'm busy right now, said the fox.", "answered"),
        (f"Said the fox.\n\n[{notices.kept_short(LANGUAGE)}]", "answered"),
    ],
)
def test_the_bots_own_words_are_told_from_answers(words: str, kind: str) -> None:
    assert kinds([asked(1)], event(words, to=1)) == [kind]


def test_one_message_that_answers_several_in_a_group() -> None:
    questions = [asked(n, user, GROUP) for n, user in ((1, ADA), (2, BOB), (3, ADA), (4, EVE))]
    text = SEPARATOR.join(
        ["One.", "Bob:\nTwo.", f"Ada:\n{notices.refused(1, 9, LANGUAGE)}", "Eve:\nFour."]
    )
    merged = event(text, to=1, chat=GROUP, named=(BOB, ADA, EVE))
    assert outcomes(questions, [merged]) == [
        Outcome("answered", 11.0),
        Outcome("answered", 11.0),
        Outcome("refused", 11.0, 9.0),
        Outcome("answered", 11.0),
    ]


def test_one_message_that_says_the_same_to_several() -> None:
    questions = [asked(n, user, GROUP) for n, user in ((1, ADA), (2, BOB), (3, EVE), (4, BOB))]
    refused = notices.refused(1, 9, LANGUAGE)
    text = SEPARATOR.join(["One.", f"{ALSO}Bob, Eve", f"Bob:\n{refused}"])
    merged = event(text, to=1, chat=GROUP, named=(BOB, EVE, BOB))
    assert kinds(questions, merged) == ["answered", "answered", "answered", "refused"]


def test_a_separator_that_a_model_wrote_separates_nothing() -> None:
    merged = event(f"One{SEPARATOR}more.", to=1, chat=GROUP)
    assert kinds([asked(1, ADA, GROUP), asked(2, BOB, GROUP)], merged) == ["answered", "open"]


def test_other_chats_and_deletions_change_nothing() -> None:
    note = event("I'm up.", chat=77)
    gone = event("Yes.", to=1, kind="delete")
    assert kinds([asked(1)], note, gone) == ["open"]
