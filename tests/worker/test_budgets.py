"""plugins[].budget: one plugin's calls, time, failures and messages are its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import Message, Reply, Request, Turn, hookimpl
from clawdcore.testing import ADA, FakeBackend, Harness, User

PEOPLE = [User(200 + number, f"U{number}") for number in range(12)]
NEWS = User(900, "Owner")


class Greedy:
    """Takes its time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    @hookimpl
    def register_commands(self, register: Any, context: Any) -> None:
        @register("hold")
        async def hold(message: Message, seconds: float) -> str:
            """Hold a seat"""
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(seconds)
            finally:
                self.now -= 1
            return f"held {seconds:g}"

        @register("ask")
        async def ask(message: Message) -> str:
            """Ask the model"""
            return str(
                await context.models.complete(
                    Request(turns=(Turn("user", message.sender.name),), key=message.asker)
                )
            )


class Quick:
    """Answers at once."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("quick")
        async def quick(message: Message) -> str:
            """Answer"""
            return "quick"


def plugins(budget: dict[str, Any], at_once: int = 4, **timeout: int) -> dict[str, Any]:
    return {
        "agents": {"defaults": {"maxConcurrent": at_once, "timeout": timeout}},
        "plugins": [{"name": "greedy", "budget": budget}, "quick"],
    }


def test_a_plugin_that_takes_its_time_leaves_a_seat_to_the_others() -> None:
    greedy = Greedy()
    with Harness([greedy, Quick()], config=plugins({})) as bot:
        for user in PEOPLE:
            bot.send("/hold 10", sender=user)
        bot.send("/quick", sender=ADA)
        bot.settle()
        assert greedy.most == 3
        [answer] = [sent for sent in bot.sent if sent.chat == ADA.id]
        assert (answer.text, answer.at < 1) == ("quick", True)
        assert [s.text for s in bot.sent if s.chat != ADA.id] == ["held 10"] * len(PEOPLE)


def test_a_plugin_that_is_alone_has_all_seats() -> None:
    greedy = Greedy()
    with Harness([greedy], config={"agents": {"defaults": {"maxConcurrent": 4}}}) as bot:
        for user in PEOPLE[:4]:
            bot.send("/hold 10", sender=user)
        bot.settle()
        assert greedy.most == 4


def test_at_once_is_what_the_owner_says() -> None:
    greedy = Greedy()
    with Harness([greedy, Quick()], config=plugins({"atOnce": 1})) as bot:
        for user in PEOPLE[:3]:
            bot.send("/hold 5", sender=user)
        bot.settle()
        assert greedy.most == 1
        assert [round(sent.at) for sent in bot.sent] == [5, 10, 15]


def test_who_waits_for_a_model_takes_no_place_of_the_plugin() -> None:
    backend = FakeBackend()
    backend.delay = 8.0
    with Harness([Greedy(), Quick()], config=plugins({"atOnce": 1}), backend=backend) as bot:
        bot.send("/ask", sender=PEOPLE[0])
        bot.send("/hold 2", sender=PEOPLE[1])
        bot.settle()
        at = {sent.chat: sent.at for sent in bot.sent}
        assert at[PEOPLE[1].id] == pytest.approx(2, abs=0.5)
        assert at[PEOPLE[0].id] == pytest.approx(8, abs=0.5)


def test_a_call_ends_with_its_seconds_and_the_plugin_is_to_blame() -> None:
    config = plugins({"seconds": 3, "failures": 2})
    with Harness([Greedy(), Quick()], config=config) as bot:
        assert bot.say("/hold 2") == "held 2"
        began = bot.loop.time()
        assert "took too long" in bot.say("/hold 20")
        assert bot.loop.time() - began == pytest.approx(3, abs=0.5)
        assert "took too long" in bot.say("/hold 20")
        assert "rest" in bot.say("/hold 1")  # two in a row, as the owner wants it
        assert bot.say("/quick") == "quick"
        bot.advance(61)
        assert bot.say("/hold 1") == "held 1"


class Chatty:
    """Says more than anybody wants to hear."""

    @hookimpl
    def register_commands(self, register: Any, context: Any) -> None:
        @context.schedule.on("more")
        async def more(call: Any) -> str:
            return "more"

        @register("spam")
        async def spam(message: Message) -> str:
            """Plan a lot"""
            for number in range(100):
                await context.schedule.after(f"more{number}", 1, chat=message.chat.id)
            return "planned"

        for number in range(100):
            context.schedule.on(f"more{number}")(more)


def test_a_plugin_says_no_more_unasked_than_it_may() -> None:
    config = {"plugins": [{"name": "chatty", "budget": {"messages": 7}}]}
    with Harness([Chatty()], config=config) as bot:
        assert bot.say("/spam") == "planned"
        bot.advance(30)
        assert [sent.text for sent in bot.sent].count("more") == 7
        assert "rest" in bot.say("/spam")  # it was told so often enough


class Spoiler:
    """Raises, and takes its time, where replies pass."""

    def __init__(self) -> None:
        self.asked = 0

    @hookimpl
    async def prepare_reply(self, reply: Reply) -> None:
        self.asked += 1
        await asyncio.sleep(60)


def test_a_hook_that_keeps_failing_is_not_asked_any_more() -> None:
    spoiler = Spoiler()
    with Harness([spoiler, Quick()]) as bot:
        for _ in range(5):
            assert bot.say("/quick") == "quick"
        began = bot.loop.time()
        for _ in range(20):
            assert bot.say("/quick") == "quick"
        assert (spoiler.asked, bot.loop.time() - began < 1) == (5, True)
