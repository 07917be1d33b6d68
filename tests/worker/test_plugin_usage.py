"""What each plugin has cost: calls, seconds and failures, whatever it does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import Attachment, Call, Context, Message, hookimpl
from clawdcore.errors import PluginError
from clawdcore.testing import Harness
from clawdcore.vitals import PluginUse
from clawdcore.worker.usage import kind_of


class Slow:
    """Takes its time in every kind of function."""

    @hookimpl
    def register_commands(self, register: Any, context: Context) -> None:
        @register("sleep")
        async def sleep(message: Message, seconds: float) -> str:
            """Sleep"""
            await asyncio.sleep(seconds)
            return "slept"

        @register("plan")
        async def plan(message: Message) -> str:
            """Plan a call"""
            await context.schedule.after("wake", 60, chat=message.chat.id)
            return "planned"

        @register("fail")
        async def fail(message: Message) -> str:
            """Raise"""
            raise RuntimeError("no")

        @register("wrong")
        async def wrong(message: Message) -> Any:
            """Answer with what is no answer"""
            return 7

        @context.schedule.on("wake")
        async def wake(call: Call) -> str:
            await asyncio.sleep(2)
            return "awake"

    @hookimpl
    def register_readers(self, register: Any) -> None:
        @register("photo")
        async def read(attachment: Attachment) -> str:
            await asyncio.sleep(3)
            return "a picture"


class Other:
    """Reads what others read."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("photo")
        async def look(message: Message) -> str:
            return await message.text()


def uses(bot: Harness) -> dict[str, PluginUse]:
    return {each.name: each for each in bot.worker._usage()}


def test_calls_and_seconds_of_each_plugin() -> None:
    with Harness([Slow(), Other()]) as bot:
        assert uses(bot)["slow"] == PluginUse(name="slow")
        bot.say("/sleep 4")
        assert uses(bot)["slow"] == PluginUse(name="slow", calls=1, seconds=4.0)
        bot.say("/plan")
        bot.advance(65)
        assert bot.sent[-1].text == "awake"
        assert uses(bot)["slow"] == PluginUse(name="slow", calls=3, seconds=6.0)
        assert uses(bot)["other"].calls == 0
        bot.say(photo=b"x")
        assert uses(bot)["slow"] == PluginUse(name="slow", calls=4, seconds=9.0)
        # It waited for the other one, and that is counted too.
        assert uses(bot)["other"] == PluginUse(name="other", calls=1, seconds=3.0)


def test_failures_by_kind_and_the_rest_that_they_lead_to() -> None:
    slow = {"name": "slow", "budget": {"seconds": 10, "failures": 3}}
    with Harness([Slow()], config={"plugins": [slow]}) as bot:
        bot.say("/fail")
        bot.say("/wrong")
        use = uses(bot)["slow"]
        assert (use.calls, use.failures, use.rest) == (2, {"error": 1, "contract": 1}, 0.0)
        bot.say("/sleep 60")
        use = uses(bot)["slow"]
        assert use.failures == {"error": 1, "contract": 1, "timeout": 1}
        assert use.rest > 0
        assert use.seconds == 10.0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (PluginError("no.", plugin="x"), "contract"),
        (KeyError(1), "error"),
    ],
)
def test_kinds_are_few_and_hold_nothing_of_the_error(error: BaseException, kind: str) -> None:
    assert kind_of(error) == kind
