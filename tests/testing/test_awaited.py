"""Async tests with the fixture ``bot``: written as any other, in the bot's loop and time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import Button, Edit, Message, Press, Reply, hookimpl
from clawdcore.testing import AsyncHarness, Group, User


class Plugin:
    """Says hello, late if wanted, and has a button."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("hello")
        async def hello(message: Message, seconds: float = 0.0) -> Reply:
            """Say hello"""
            await asyncio.sleep(seconds)
            return Reply(text=f"Hello {message.sender.name}!", buttons=((Button("More", "more"),),))

        @register("broken")
        async def broken(message: Message) -> str:
            """Raise"""
            raise KeyError("no")

    @hookimpl
    def register_buttons(self, register: Any) -> None:
        @register("more")
        async def more(press: Press) -> Edit:
            return Edit("More.")


pytestmark = pytest.mark.plugins(Plugin())


async def test_what_takes_time_is_awaited(bot: AsyncHarness) -> None:
    assert await bot.say("/hello") == "Hello Ada!"
    assert await bot.say("/hello 5", sender=User(7, "Bob")) == "Hello Bob!"
    await bot.press("More")
    assert bot.sent[-1].text == "More."
    assert bot.failures == []


async def test_its_own_waits_take_virtual_time_beside_the_bot(bot: AsyncHarness) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    asking = asyncio.create_task(bot.say("/hello 30"))
    await asyncio.sleep(20)
    assert not asking.done()
    assert await asking == "Hello Ada!"
    assert loop.time() - began >= 30
    await bot.advance(3600)
    assert loop.time() - began >= 3630


async def test_two_people_at_once(bot: AsyncHarness) -> None:
    people = [User(number, f"U{number}") for number in range(2, 12)]
    said = await asyncio.gather(*(bot.say("/hello 3", sender=each) for each in people))
    assert sorted(said) == sorted(f"Hello {each.name}!" for each in people)
    flood = await bot.flood(50, "/hello@clawd_bot", chat=Group())
    assert flood.answered == 50


async def test_what_a_plugin_raises_is_raised_where_the_test_waits(bot: AsyncHarness) -> None:
    with pytest.raises(KeyError):
        await bot.say("/broken")
    assert await bot.say("/hello") == "Hello Ada!"


@pytest.mark.failures
async def test_marks_are_obeyed(bot: AsyncHarness) -> None:
    assert "went wrong" in await bot.say("/broken")
    assert len(bot.failures) == 1


async def test_methods_look_as_they_do_elsewhere(bot: AsyncHarness) -> None:
    assert bot.say.__doc__.startswith("Write to the bot")
    with pytest.raises(AttributeError):
        _ = bot.nothing
    with pytest.raises(LookupError):
        await bot.press("Nobody says this")
