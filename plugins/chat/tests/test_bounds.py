"""Memory is bounded, conversations end by themselves, and none leaks into another."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clawdbot_chat import Chat
from clawdcore.testing import Group, Harness, User


def test_a_thousand_chats_leave_as_many_sessions_as_allowed(make_bot: Any) -> None:
    bot = make_bot(sessions=50)
    for number in range(1, 1001):
        bot.say(f"I am {number}", sender=User(number))
    assert len(bot.chat._sessions) == 50
    bot.say("again", sender=User(1))
    assert len(bot.model.requests[-1].turns) == 2
    bot.say("again", sender=User(1000))
    assert len(bot.model.requests[-1].turns) == 4


def test_a_thousand_long_conversations_take_bounded_memory(make_bot: Any) -> None:
    bot = make_bot(context_length=1000, maxTokens=100, compaction="default", sessions=1000)
    sizes = []
    for _ in range(5):
        for number in range(1, 1001):
            bot.say("x" * 400, sender=User(number))
        sessions = [session for _, session in bot.chat._sessions.all()]
        sizes.append(
            sum(len(e.question) + len(e.answer) for each in sessions for e in each.exchanges)
        )
    assert len(bot.chat._sessions) == 1000
    assert sizes[0] == 800_000
    assert sizes[-1] == sizes[-2] <= 4 * 500 * 1000, "500 tokens of history, and one exchange"


def test_an_unused_conversation_is_erased_though_nobody_writes(make_bot: Any) -> None:
    bot = make_bot(idleMinutes=10)
    bot.say("hello")
    bot.advance(300)
    bot.say("hello", sender=User(7))
    bot.advance(301)
    assert len(bot.chat._sessions) == 1
    bot.advance(300)
    assert len(bot.chat._sessions) == 0


def test_stopping_erases_everything() -> None:
    chat = Chat()
    with Harness([chat]) as bot:
        bot.say("hello")
        assert len(chat._sessions) == 1
    assert len(chat._sessions) == 0


PEOPLE = st.integers(1, 3)
PLACES = st.none() | st.integers(-3, -1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(PEOPLE, PLACES, st.integers(1, 30)), min_size=2, max_size=20))
def test_no_text_of_one_chat_is_ever_in_a_request_of_another(
    said: list[tuple[int, int | None, int]],
) -> None:
    # So little history that much is summed up: this model's notes repeat what they sum up.
    config = {"plugins": [{"name": "chat", "options": {"historyTokens": 128, "sessions": 3}}]}
    with Harness([Chat()], config=config) as bot:
        bot.backend.delay = 0.1  # type: ignore[attr-defined]
        for number, (person, place, length) in enumerate(said):
            where = person if place is None else place
            words = f"mark{where}x{number} " + "word " * length
            chat = None if place is None else Group(place)
            text = words if chat is None else f"@clawd_bot {words}"
            bot.send(text, sender=User(person), chat=chat)
        bot.settle()
        requests = bot.backend.requests  # type: ignore[attr-defined]
        assert len(requests) >= len(said)
        for request in requests:
            own = request.key
            told = " ".join(turn.content for turn in request.turns)
            marks = [word for word in told.split() if word.startswith("mark")]
            assert marks
            assert all(word.startswith(f"mark{own}x") for word in marks)
