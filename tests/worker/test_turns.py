"""Somebody who writes faster than is answered: what waits in vain is refused at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clawdcore import Context, Message, Request, Turn, hookimpl
from clawdcore.errors import Overloaded
from clawdcore.testing import FakeBackend, Harness
from clawdcore.worker.turns import SHARE, Turns

TEN_SECONDS = {"agents": {"defaults": {"timeout": {"request": 10_000, "total": 10_000}}}}


class Conversation:
    """Asks the model what people say, one message of a conversation at a time."""

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text", serial=lambda message: message.session)
        async def ask(message: Message) -> AsyncIterator[str]:
            async for chunk in context.models.generate(
                Request(turns=(Turn("user", message.body),))
            ):
                yield chunk.text


def test_without_experience_everybody_may_wait() -> None:
    Turns().enter("chat", ahead=1000, left=1.0)


def test_who_would_wait_for_most_of_their_time_is_told_how_long() -> None:
    turns = Turns()
    turns.took("chat", 2.0)
    turns.enter("chat", ahead=2, left=4 / SHARE)
    with pytest.raises(Overloaded) as refused:
        turns.enter("chat", ahead=3, left=4 / SHARE)
    assert refused.value.retry_after == pytest.approx(6.0)
    turns.enter("translate", ahead=3, left=4 / SHARE)


def test_what_a_turn_takes_is_learned() -> None:
    turns = Turns()
    turns.took("chat", 10.0)
    for _ in range(40):
        turns.took("chat", 1.0)
    turns.enter("chat", ahead=9, left=10 / SHARE)


def test_a_flood_of_one_person_is_answered_as_fast_as_one_conversation_goes() -> None:
    backend = FakeBackend()
    backend.delay = 2.0
    with Harness([Conversation()], backend=backend, config=TEN_SECONDS) as bot:
        for n in range(240):
            bot.send(f"message-{n}")
            bot.advance(0.25)
        bot.settle()
        # A minute holds 30 turns of 2 s. Were nobody refused, each turn after the fifth
        # would come when its message's 10 s are over.
        assert bot.books.answered >= 26
        assert bot.books.answered + bot.books.noticed == 240
        assert any("send it again in about" in sent.text for sent in bot.sent)
        # What came before the first turn had ended, when nothing was known yet.
        assert sum("took too long" in sent.text for sent in bot.sent) <= 4
