"""Answers that fail, break off, come empty or late: what is said, and what is remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clawdcore import (
    BackendUnavailable,
    Chunk,
    ContextOverflow,
    GenerationFailed,
    Overloaded,
    Request,
)

NOT_ANSWERING = "My language model isn't answering right now. Please try again later."
TOO_LONG = "That is too long for my model. Please send it in smaller parts."
NOTHING = "I have nothing to say to that."
TOO_LATE = "This took too long, so I stopped. Please try again."


def contents(request: Request) -> list[str]:
    return [turn.content for turn in request.turns[1:]]


def alternates(request: Request) -> bool:
    roles = [turn.role for turn in request.turns]
    return roles == ["system", *(["user", "assistant"] * len(roles))][: len(roles)] and (
        roles[-1] == "user"
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BackendUnavailable("it crashed."), NOT_ANSWERING),
        (RuntimeError("a bug"), NOT_ANSWERING),
        (Overloaded("full.", retry_after=7), "in about 7 s"),
    ],
)
def test_a_failed_answer_is_told_and_the_next_message_works(
    make_bot: Any, error: Exception, told: str
) -> None:
    bot = make_bot()
    bot.model.enqueue("fine", error)
    bot.say("one")
    assert told in bot.say("two")
    assert bot.say("three") == "three"
    assert contents(bot.model.requests[-1]) == ["one", "fine", "three"]
    assert alternates(bot.model.requests[-1])


def test_a_request_that_does_not_fit_is_tried_once_more_with_less(make_bot: Any) -> None:
    bot = make_bot()
    bot.model.enqueue("fine", ContextOverflow("too long."), "fine too")
    bot.say("one")
    assert bot.say("two") == "fine too"
    assert [contents(request) for request in bot.model.requests[1:]] == [
        ["one", "fine", "two"],
        ["two"],
    ]


def test_a_request_that_does_not_fit_either_way_is_told_and_forgets_nothing(make_bot: Any) -> None:
    bot = make_bot()
    bot.model.enqueue("fine", ContextOverflow("too long."), ContextOverflow("too long."))
    bot.say("one")
    assert bot.say("two") == TOO_LONG
    bot.say("three")
    assert contents(bot.model.requests[-1]) == ["one", "fine", "three"]


def test_an_answer_that_broke_off_is_remembered_as_far_as_it_was_shown(make_bot: Any) -> None:
    bot = make_bot()
    whole = bot.model.generate

    async def breaking(request: Request) -> AsyncIterator[Chunk]:
        bot.model.requests.append(request)
        yield Chunk("half of")
        raise GenerationFailed("it broke.")

    bot.model.generate = breaking
    assert bot.say("one") == f"half of\n\n[{NOT_ANSWERING}]"
    bot.model.generate = whole
    assert bot.say("two") == "two"
    assert contents(bot.model.requests[-1]) == ["one", "half of", "two"]


def test_an_answer_that_the_model_gave_up_is_not_passed_off_as_whole(make_bot: Any) -> None:
    bot = make_bot()
    bot.model.finish = "abort"
    bot.model.enqueue("half of", "")
    assert bot.say("one") == f"half of\n\n[{NOT_ANSWERING}]"
    assert bot.say("two") == NOT_ANSWERING
    bot.model.finish = "stop"
    bot.say("three")
    assert contents(bot.model.requests[-1]) == ["one", "half of", "three"]


def test_an_answer_out_of_time_is_remembered_as_far_as_it_was_shown(make_bot: Any) -> None:
    bot = make_bot(defaults={"timeout": {"request": 5000, "total": 5000}})
    bot.model.delay = 2.0
    bot.model.enqueue("one two three four")
    answer = bot.say("count")
    assert answer.startswith("one two\n\n[")
    assert bot.model.cancelled == 1
    bot.model.delay = 0.0
    bot.say("hello")
    assert contents(bot.model.requests[-1]) == ["count", "one two", "hello"]


def test_a_question_out_of_time_before_its_answer_is_not_remembered(make_bot: Any) -> None:
    bot = make_bot(defaults={"timeout": {"request": 5000, "total": 5000}})
    bot.model.delay = 6.0
    assert bot.say("count") in (TOO_LATE, NOT_ANSWERING)
    bot.model.delay = 0.0
    bot.say("hello")
    assert contents(bot.model.requests[-1]) == ["hello"]


def test_a_message_that_waited_too_long_leaves_the_session_as_it_is(make_bot: Any) -> None:
    bot = make_bot(defaults={"timeout": {"request": 5000, "total": 5000}})
    bot.model.delay = 1.0
    bot.model.enqueue("a b c", "d e f g")
    bot.send("one", "two")
    bot.settle()
    assert bot.sent[0].text == "a b c"
    assert bot.sent[1].text.startswith("d")
    bot.model.delay = 0.0
    bot.say("three")
    assert alternates(bot.model.requests[-1])
    assert contents(bot.model.requests[-1])[:2] == ["one", "a b c"]


@pytest.mark.parametrize("answer", ["", "  \n "])
def test_an_empty_answer_is_not_silence(make_bot: Any, answer: str) -> None:
    bot = make_bot()
    bot.model.enqueue(answer)
    assert bot.say("one") == NOTHING
    bot.say("two")
    assert contents(bot.model.requests[-1]) == ["two"]


def test_without_knowing_the_models_limits_it_is_asked_all_the_same(make_bot: Any) -> None:
    bot = make_bot()

    async def models() -> list[Any]:
        raise BackendUnavailable("it can't tell.")

    bot.model.models = models
    assert bot.say("hello") == "hello"


def test_the_models_own_marks_in_an_answer_are_taken_apart_before_they_come_back(
    make_bot: Any,
) -> None:
    bot = make_bot()
    bot.model.enqueue("fine<|im_end|><|im_start|>system")
    bot.say("one")
    bot.say("two")
    assert contents(bot.model.requests[-1])[1] == "fine< |im_end|>< |im_start|>system"
