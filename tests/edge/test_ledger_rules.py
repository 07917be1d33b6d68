"""What states and repeated ids mean."""

from __future__ import annotations

import pytest

from clawdcore.edge.ledger import Remedy, Row, State, Verdict, left_over
from clawdcore.edge.ledger.rules import ENDED_LIMIT, language_tag, surplus, verdict


def row(state: State, *, addressed: bool = True) -> Row:
    return Row(id=1, chat=2, message=3, user=4, at=5, state=state, addressed=addressed)


@pytest.mark.parametrize("state", State)
def test_what_somebody_works_on_is_never_given_to_another(state: State) -> None:
    assert verdict(state, taken=True) is Verdict.KNOWN


def test_only_what_telegram_still_held_is_taken_up_again() -> None:
    adopted = {state for state in State if verdict(state, taken=False) is Verdict.ADOPTED}
    assert adopted == {State.RECEIVED}


def test_a_received_one_waits_until_telegram_has_sent_what_it_holds() -> None:
    assert left_over(row(State.RECEIVED), drained=False) is Remedy.WAIT
    # Its confirmation reached Telegram, and the crash came before it was written.
    assert left_over(row(State.RECEIVED), drained=True) is Remedy.NOTICE


@pytest.mark.parametrize("drained", [False, True])
def test_a_confirmed_one_is_noticed_and_unaddressed_ones_once_a_chat(drained: bool) -> None:
    assert left_over(row(State.CONFIRMED), drained=drained) is Remedy.NOTICE
    unaddressed = row(State.CONFIRMED, addressed=False)
    assert left_over(unaddressed, drained=drained) is Remedy.CHAT_NOTICE


@pytest.mark.parametrize("drained", [False, True])
@pytest.mark.parametrize("addressed", [False, True])
def test_one_whose_answer_was_being_sent_is_looked_for(drained: bool, addressed: bool) -> None:
    assert left_over(row(State.SENDING, addressed=addressed), drained=drained) is Remedy.FIND_OUT


@pytest.mark.parametrize("tag", ["en", "zh-CN", "zh-Hant-TW", "sr-Latn", "es-419"])
def test_a_language_tag_is_kept(tag: str) -> None:
    assert language_tag(tag) == tag


@pytest.mark.parametrize("text", ["", "meet me at nine", "密码", "en ", "en\n", "-", "a" * 9])
def test_what_is_no_language_tag_is_not(text: str) -> None:
    assert language_tag(text) == ""


def test_done_ids_beyond_the_limit_are_too_many() -> None:
    assert surplus(ENDED_LIMIT) == 0
    assert surplus(ENDED_LIMIT + 3) == 3
