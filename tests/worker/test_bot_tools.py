"""Commands as a model calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from clawdcore import Button, Context, Message, Reply, Tool, UsageError, hookimpl
from clawdcore.testing import Harness
from clawdcore.worker.tools import RESULT_LIMIT


class Kit:
    """Commands of every kind, most of them tools."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        self.tools = context.tools

        @register("weather", "w", tool=True)
        async def weather(
            message: Message, city: str, days: int = 1, unit: Literal["c", "f"] = "c"
        ) -> str:
            """Tell the weather"""
            self.got.append(message)
            return f"{city} {days} {unit}"

        @register("secret")
        async def secret(message: Message) -> str:
            """Not for models"""
            return "secret"

        @register("plain", tool=True)
        def plain(message: Message, on: bool = False) -> Reply:
            """A plain function"""
            return Reply(text=f"plain {on}", buttons=((Button("x", url="https://x.org"),),))

        @register("stream", tool=True)
        async def stream(message: Message) -> AsyncIterator[str]:
            """A stream"""
            yield "a"
            yield "b"

        @register("long", tool=True)
        async def long(message: Message) -> str:
            """Much"""
            return "x" * 100_000

        @register("nothing", tool=True)
        async def nothing(message: Message) -> None:
            """Nothing"""

        @register("usage", tool=True)
        async def usage(message: Message) -> str:
            """Not so"""
            raise UsageError("Not like this.")

        @register("broken", tool=True)
        async def broken(message: Message) -> str:
            """Breaks"""
            raise RuntimeError("canary")

        @register("slow", tool=True)
        async def slow(message: Message) -> str:
            """Takes long"""
            await asyncio.sleep(3600)
            return "late"

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text")
        async def model(message: Message) -> str:
            name, _, arguments = message.body.partition(" ")
            return await context.tools.call(name, arguments, message)


def test_only_commands_marked_as_tools_are_offered_each_once() -> None:
    kit = Kit()
    with Harness([kit]):
        tools = kit.tools.all()
    names = ["weather", "plain", "stream", "long", "nothing", "usage", "broken", "slow"]
    assert [tool.name for tool in tools] == names
    assert tools[0] == Tool(
        "weather",
        "Tell the weather",
        {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer"},
                "unit": {"type": "string", "enum": ["c", "f"]},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    )


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ('weather {"city": "Köln"}', "Köln 1 c"),
        ('weather {"city": "New York", "days": 3, "unit": "f"}', "New York 3 f"),
        ('weather {"city": "Köln", "days": "3", "unit": null}', "Köln 3 c"),
        ('weather {"city": "Köln", "days": 3.0}', "Köln 3 c"),
        ('weather {"city": 50667}', "50667 1 c"),
        ('plain {"on": true}', "plain True"),
        ("plain", "plain False"),
        ("stream {}", "ab"),
        ("nothing {}", "Done."),
    ],
)
def test_a_call_gives_what_the_command_gives(asked: str, given: str) -> None:
    with Harness([Kit()]) as bot:
        assert bot.say(asked) == given


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("weather {}", "Error: city is missing. Usage: /weather <city> [days] [unit]"),
        ('weather {"city": ["Köln"]}', "Error: city is not understood."),
        ('weather {"city": "Köln", "days": "many"}', "Error: days must be a whole number."),
        ('weather {"city": "Köln", "unit": "k"}', "Error: unit must be one of: c, f."),
        ('weather {"town": "Köln"}', "Error: There is no argument town."),
        ('weather ["Köln"]', "Error: the arguments are no JSON object."),
        ('weather {"city": ', "Error: the arguments are no JSON object."),
        ("usage {}", "Error: Not like this. Usage: /usage"),
        ("secret {}", "Error: there is no such tool."),
        ("w {}", "Error: there is no such tool."),
        ("broken {}", "Error: the tool failed."),
    ],
)
def test_what_goes_wrong_is_a_sentence_for_the_model(asked: str, said: str) -> None:
    with Harness([Kit()]) as bot:
        assert bot.say(asked).startswith(said)


def test_a_result_is_cut_to_its_bound() -> None:
    kit = Kit()
    with Harness([kit]) as bot:
        answer = bot.say("long {}")
    assert len("".join(sent.text for sent in bot.sent)) <= RESULT_LIMIT
    assert answer.endswith("(cut)")


def test_the_command_acts_for_who_asked() -> None:
    kit = Kit()
    with Harness([kit]) as bot:
        bot.say('weather {"city": "Köln"}')
    (message,) = kit.got
    assert (message.command, message.args, message.sender.name) == ("weather", "", "Ada")


def test_a_plugin_whose_tools_fail_rests_and_offers_none() -> None:
    kit = Kit()
    with Harness([kit, Asks()]) as bot:
        for _ in range(5):
            bot.say("/ask broken {}")
        assert bot.say("/ask broken {}").startswith("Error: this tool had errors")
        assert kit.tools.all() == ()


class Asks:
    """Calls tools of another plugin."""

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("ask")
        async def ask(message: Message, name: str, arguments: str) -> str:
            """Call a tool"""
            return await context.tools.call(name, arguments, message)


def test_a_tool_has_the_time_of_the_message_that_it_is_called_for() -> None:
    with Harness([Kit()]) as bot:
        assert "took too long" in bot.say("slow {}")
        assert bot.books.open == 0
