"""Every command, given what it can't use, answers with its usage and an example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clawdbot_commands import Commands
from clawdcore import Context, Message, hookimpl
from clawdcore.testing import ADA, Group, Harness, User

LI = User(7, "Li", language="zh-hans")
WRONG = {
    "weather": ["", "home"],
    "fx": ["", "usd", "usd eux", "usd usd", "1e9 usd cny", "usd cny 2024-02-30", "-5 usd cny"],
    "wiki": ["", " "],
}
"""Of those that take words; all others take none."""


class Lister:
    """Tells which commands there are."""

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("names")
        async def names(message: Message) -> str:
            """List them"""
            return " ".join(name for name, _ in context.help())


@pytest.fixture
def bot() -> Iterator[Harness]:
    with Harness([Commands(), Lister()]) as harness:
        yield harness


def test_wrong_words_get_usage_and_an_example(bot: Harness) -> None:
    names = {name.lstrip("/") for name in bot.say("/names").split()}
    names -= {"names", "start", "help"}
    assert names > set(WRONG) and len(names) >= 11
    for name in names:
        for words in WRONG.get(name, ["and more"]):
            for sender, usage, example in ((ADA, "Usage:", "Example:"), (LI, "用法：", "例如：")):
                said = bot.say(f"/{name} {words}".rstrip(), sender=sender)
                assert usage in said and example in said, said
                assert said.count(f"/{name}") >= 2, said


def test_the_same_in_a_group(bot: Harness) -> None:
    said = bot.say("/fx@clawd_bot usd", chat=Group())
    assert "Usage:" in said and "/fx 100 usd to cny" in said


def test_an_unknown_currency_has_a_suggestion(bot: Harness) -> None:
    assert "Do you mean EUR?" in bot.say("/fx usd eurr")
    assert "EUR" in bot.say("/fx usd eurr", sender=LI)
    assert "don't understand: 12x34" in bot.say("/fx usd 12x34")
