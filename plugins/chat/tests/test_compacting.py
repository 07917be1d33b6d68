"""Long conversations through the whole bot, in both modes of compaction."""

from __future__ import annotations

from typing import Any

import pytest

from clawdbot_chat import prompts
from clawdcore import GenerationFailed, Overloaded, Priority, Request
from clawdcore.testing import ADA, Group, User

WORDS = "some words that take up room, " * 8
MODES = ("safeguard", "default")


def contents(request: Request) -> list[str]:
    return [turn.content for turn in request.turns[1:]]


def alternates(request: Request) -> bool:
    roles = [turn.role for turn in request.turns[1:]]
    return roles == (["user", "assistant"] * len(roles))[: len(roles)] and roles[-1] == "user"


def talk(bot: Any, *numbers: int, **given: Any) -> None:
    for number in numbers:
        bot.model.enqueue(f"answer {number} {WORDS}")
        assert bot.say(f"question {number} {WORDS}", **given).startswith(f"answer {number} ")


@pytest.mark.parametrize("mode", MODES)
def test_a_long_conversation_never_overflows_the_context(make_bot: Any, mode: str) -> None:
    bot = make_bot(context_length=1000, maxTokens=100, compaction=mode)
    talk(bot, *range(60))
    assert not bot.model.refused
    assert all(alternates(request) for request in bot.model.requests)
    assert all(alternates(request) for request in bot.model.summaries)


def test_safeguard_keeps_the_newest_word_by_word_and_the_rest_as_notes(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    bot.model.note = "Question 0 was asked."
    talk(bot, *range(8))
    assert bot.model.summaries
    told, noted, *rest = contents(bot.model.requests[-1])
    assert told.startswith(f"{prompts.NOTES}\nQuestion 0 was asked.")
    assert noted == prompts.NOTED
    assert f"question 7 {WORDS}".strip() == rest[-1]
    assert f"answer 6 {WORDS}".strip() == rest[-2]


def test_every_word_is_either_kept_or_was_summed_up(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    talk(bot, *range(30))
    summed = "\n".join(text for request in bot.model.summaries for text in contents(request))
    kept = "\n".join(contents(bot.model.requests[-1]))
    for number in range(30):
        assert (f"question {number} " in summed) != (f"question {number} " in kept), number


def test_default_drops_the_oldest_and_asks_for_no_summary(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100, compaction="default")
    talk(bot, *range(8))
    assert not bot.model.summaries
    last = contents(bot.model.requests[-1])
    assert "question 0 " not in "".join(last)
    assert last[0].startswith("question ")
    assert last[-1].startswith("question 7 ")


def test_no_summary_without_time_for_it(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100, summarySeconds=0)
    talk(bot, *range(8))
    assert not bot.model.summaries


def test_a_summary_is_nothing_that_the_user_sees(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    bot.model.note = "xyzzy"
    talk(bot, *range(12))
    assert bot.model.summaries
    assert not any("xyzzy" in sent.text for sent in bot.sent)
    assert not any("xyzzy" in draft for _, draft in bot.telegram.drafts)


def test_a_summary_is_asked_for_whom_it_serves(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    for number in range(12):
        bot.say(f"@clawd_bot {number} {WORDS}", chat=Group(), sender=User(100 + number % 2, "Eve"))
    assert bot.model.summaries
    for request in bot.model.summaries:
        assert request.priority is Priority.DIRECT
        assert (request.key, request.sender) in (("-1001", "100"), ("-1001", "101"))


def test_notes_that_take_too_much_are_merged(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    bot.model.note = lambda request: (
        "merged" if prompts.MERGE in request.turns[-1].content else "a note of some length " * 6
    )
    talk(bot, *range(20))
    assert any(prompts.MERGE in contents(request)[-1] for request in bot.model.summaries)
    assert "merged" in contents(bot.model.requests[-1])[0]


@pytest.mark.parametrize("failure", [GenerationFailed("it broke."), RuntimeError("bug"), "  "])
def test_when_summing_up_fails_the_oldest_are_dropped_and_the_answer_comes(
    make_bot: Any, failure: Any
) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    bot.model.note = failure
    talk(bot, *range(20))
    assert bot.model.summaries
    assert not bot.model.refused
    assert "question 0 " not in "".join(contents(bot.model.requests[-1]))
    assert prompts.NOTES not in "".join(contents(bot.model.requests[-1]))


def test_summing_up_that_takes_too_long_is_given_up(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100, summarySeconds=3)
    bot.model.note_delay = 1000.0
    for number in range(6):
        begin, tried = bot.loop.time(), len(bot.model.summaries)
        talk(bot, number)
        assert bot.sent[-1].at - begin == 3.0 * (len(bot.model.summaries) - tried)
    assert bot.model.summaries
    assert prompts.NOTES not in "".join(contents(bot.model.requests[-1]))


def test_a_busy_model_costs_no_memory(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    talk(bot, *range(3))
    bot.model.note = Overloaded("full.", retry_after=5)
    bot.model.enqueue(Overloaded("full.", retry_after=5))
    assert "in about 5 s" in bot.say(f"question 3 {WORDS}")
    assert bot.model.summaries
    bot.model.note = "Noted."
    talk(bot, 4)
    assert "question 0 " in contents(bot.model.summaries[-1])[0]


def test_other_chats_go_on_while_one_is_summed_up(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    talk(bot, *range(3))
    bot.model.note_delay = 10.0
    begin = bot.loop.time()
    bot.send(f"question 3 {WORDS}", sender=ADA)
    bot.send("hello", sender=User(7))
    bot.settle()
    at = {sent.chat: sent.at - begin for sent in bot.sent}
    assert bot.model.summaries
    assert at[7] == 0.0
    assert at[ADA.id] == 10.0


def test_summing_up_counts_as_time_of_the_answer(make_bot: Any) -> None:
    timeout = {"request": 5000, "total": 5000}
    bot = make_bot(context_length=1000, maxTokens=100, defaults={"timeout": timeout})
    talk(bot, *range(3))
    bot.model.note_delay = 60.0
    assert "too long" in bot.say(f"question 3 {WORDS}")
    bot.model.note_delay = 0.0
    talk(bot, 4)
    assert "question 0 " in contents(bot.model.summaries[-1])[0]


@pytest.mark.parametrize("mode", MODES)
def test_a_message_longer_than_the_context_is_refused_and_the_rest_goes_on(
    make_bot: Any, mode: str
) -> None:
    bot = make_bot(context_length=1000, maxTokens=100, compaction=mode)
    talk(bot, 1)
    assert bot.say("much too long " * 290) == (
        "That is too long for my model. Please send it in smaller parts."
    )
    assert not bot.model.summaries
    talk(bot, 2)
    assert contents(bot.model.requests[-1])[0].startswith("question 1 ")


def test_a_question_that_needs_most_of_the_context_costs_no_memory(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    talk(bot, 1)
    bot.model.enqueue("fine")
    assert bot.say("a rather long question " * 85) == "fine"
    assert len(bot.model.requests[-1].turns) == 2
    assert not bot.model.summaries
    talk(bot, 3)
    summed = "".join(text for request in bot.model.summaries for text in contents(request))
    kept = "".join(contents(bot.model.requests[-1]))
    assert "question 1 " in summed + kept


@pytest.mark.parametrize("mode", MODES)
def test_a_context_smaller_than_was_said_is_found_out(make_bot: Any, mode: str) -> None:
    bot = make_bot(context_length=2000, maxTokens=100, compaction=mode)
    bot.model.context_length = 700
    talk(bot, *range(40))
    assert 1 <= len(bot.model.refused) <= 3
    assert all(alternates(request) for request in bot.model.requests)


def test_the_models_count_corrects_the_estimate(make_bot: Any) -> None:
    """Where our estimate is too high, more is kept than it would allow."""

    def kept(counted: int) -> int:
        bot = make_bot(context_length=2000, maxTokens=100, compaction="default")
        bot.model.count = lambda turns: sum(len(t.content) for t in turns) // counted
        talk(bot, *range(20))
        return len(bot.model.requests[-1].turns)

    assert kept(counted=6) > 1.3 * kept(counted=3)


def test_chinese_does_not_overflow_either(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    for number in range(30):
        bot.model.enqueue("这是一个比较长的回答，里面有很多字。" * 4)
        bot.say(f"第{number}个问题：" + "请告诉我更多关于这座城市的事情。" * 4)
    assert bot.model.summaries
    assert not bot.model.refused


def test_a_giant_question_is_summed_up_in_pieces(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100)
    bot.model.enqueue("fine", "fine")
    assert bot.say("a b c d " * 250) == "fine"
    assert bot.say("and now?") == "fine"
    assert len(bot.model.summaries) >= 2
    summed = "".join(contents(request)[-1] for request in bot.model.summaries)
    assert summed.count("a b c d") >= 248
    assert not bot.model.refused
    assert contents(bot.model.requests[-1])[-1] == "and now?"
