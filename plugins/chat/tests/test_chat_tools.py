"""The model calls the commands that plugins offer it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from clawdbot_chat import Chat, toolbox
from clawdcore import Message, RequestRefused, ToolCall, hookimpl
from clawdcore.testing import FakeBackend, Harness


class Weather:
    """A tool, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.result = "sunny"

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("weather", tool=True)
        async def weather(message: Message, city: str) -> str:
            """Tell the weather"""
            self.asked.append(f"{message.sender.name}: {city}")
            return self.result

        @register("hidden")
        async def hidden(message: Message) -> str:
            """Not for models"""
            return "hidden"


def call(city: str, number: int = 1) -> ToolCall:
    return ToolCall(f"call-{number}", "weather", json.dumps({"city": city}))


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture
def bot(weather: Weather) -> Iterator[Harness]:
    with Harness([weather, Chat()], backend=FakeBackend(tools=True)) as harness:
        yield harness


def requests(bot: Harness) -> list[Any]:
    assert isinstance(bot.backend, FakeBackend)
    return bot.backend.requests


def enqueue(bot: Harness, *answers: Any) -> None:
    assert isinstance(bot.backend, FakeBackend)
    bot.backend.enqueue(*answers)


def test_the_model_gets_what_its_tool_gives_and_answers_with_it(
    bot: Harness, weather: Weather
) -> None:
    enqueue(bot, call("Köln"), "It is sunny.")
    assert bot.say("What is the weather in Köln?") == "It is sunny."
    assert weather.asked == ["Ada: Köln"]
    first, second = requests(bot)
    assert [tool.name for tool in first.tools] == ["weather"]
    assert [turn.role for turn in second.turns] == ["system", "user", "assistant", "tool"]
    assert second.turns[2].calls == (call("Köln"),)
    assert (second.turns[3].call_id, second.turns[3].content) == ("call-1", "sunny")


def test_calls_and_results_are_not_kept_in_the_conversation(bot: Harness) -> None:
    enqueue(bot, call("Köln"), "It is sunny.", "Yes.")
    bot.say("What is the weather in Köln?")
    bot.say("Really?")
    assert [turn.role for turn in requests(bot)[-1].turns] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_several_calls_of_one_round_are_all_answered(bot: Harness, weather: Weather) -> None:
    enqueue(bot, (call("Köln", 1), call("Bonn", 2)), "Sunny in both.")
    assert bot.say("Köln and Bonn?") == "Sunny in both."
    assert weather.asked == ["Ada: Köln", "Ada: Bonn"]
    assert [turn.call_id for turn in requests(bot)[-1].turns[-2:]] == ["call-1", "call-2"]


def test_after_three_rounds_the_model_must_answer(bot: Harness, weather: Weather) -> None:
    enqueue(bot, *(call("Köln", number) for number in range(3)), "Enough.")
    assert bot.say("Again and again") == "Enough."
    assert len(weather.asked) == toolbox.ROUNDS
    assert [request.tool_choice for request in requests(bot)] == ["", "", "", "none"]
    enqueue(bot, *(call("Köln", number) for number in range(9)))
    assert "nothing to say" in bot.say("And again")
    assert len(weather.asked) == 2 * toolbox.ROUNDS


def test_too_many_calls_at_once_are_not_done(bot: Harness, weather: Weather) -> None:
    enqueue(bot, tuple(call("Köln", number) for number in range(toolbox.CALLS + 2)), "Done.")
    assert bot.say("All of them") == "Done."
    assert len(weather.asked) == toolbox.CALLS
    last = requests(bot)[-1].turns[-1]
    assert last.content.startswith("Error: too many calls")


def test_an_error_of_a_tool_goes_back_as_text(bot: Harness) -> None:
    enqueue(bot, ToolCall("1", "weather", "{}"), ToolCall("2", "nonsense", "{}"), "Which city?")
    assert bot.say("What is the weather?") == "Which city?"
    results = [turn.content for turn in requests(bot)[-1].turns if turn.role == "tool"]
    assert results[0].startswith("Error: city is missing.")
    assert results[1] == "Error: there is no such tool."


def test_a_long_result_is_cut_to_what_the_context_has_room_for(
    bot: Harness, weather: Weather
) -> None:
    weather.result = "x" * 10_000
    enqueue(bot, call("Köln"), "Long.")
    assert bot.say("What is the weather?") == "Long."
    result = requests(bot)[-1].turns[-1].content
    assert result.endswith("(cut)")
    assert len(result) <= 4096 // toolbox.SHARE // toolbox.ROUNDS


def test_what_was_said_before_a_call_stands_apart(weather: Weather) -> None:
    class Talks(FakeBackend):
        async def generate(self, request: Any) -> Any:
            from clawdcore import Chunk

            if len(request.turns) == 2:
                yield Chunk("Let me see.")
                yield Chunk(calls=(call("Köln"),), finish="tool_calls")
            else:
                yield Chunk("Sunny.", "stop")

    with Harness([weather, Chat()], backend=Talks(tools=True)) as bot:
        assert bot.say("The weather?") == "Let me see.\n\nSunny."


def test_a_model_without_tools_just_answers(weather: Weather) -> None:
    with Harness([weather, Chat()], backend=FakeBackend()) as bot:
        enqueue(bot, "I don't know.")
        assert bot.say("What is the weather?") == "I don't know."
        assert requests(bot)[0].tools == ()


def test_without_the_option_none_are_offered(weather: Weather) -> None:
    config = {"plugins": [{"name": "chat", "options": {"tools": False}}]}
    with Harness([weather, Chat()], backend=FakeBackend(tools=True), config=config) as bot:
        bot.say("What is the weather?")
        assert requests(bot)[0].tools == ()


def test_without_any_command_for_models_nothing_changes() -> None:
    with Harness([Chat()], backend=FakeBackend(tools=True)) as bot:
        bot.say("Hello")
        (request,) = requests(bot)
        assert request.tools == ()
        assert "You can't look anything up" in request.turns[0].content


def test_a_model_that_refuses_tools_is_asked_without(bot: Harness) -> None:
    enqueue(bot, RequestRefused("no tools here.", status=400), "Hello.")
    assert bot.say("Hello") == "Hello."
    assert [bool(request.tools) for request in requests(bot)] == [True, False]


def test_a_tool_is_not_called_twice_for_one_context_that_overflows(
    bot: Harness, weather: Weather
) -> None:
    from clawdcore import ContextOverflow

    enqueue(bot, "Hello.", call("Köln"), ContextOverflow("too long."))
    bot.say("Hello")
    assert "too long" in bot.say("What is the weather?")
    assert weather.asked == ["Ada: Köln"]
