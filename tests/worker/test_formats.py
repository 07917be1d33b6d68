"""What a plugin writes is sent in the format that it registered, through the whole bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from clawdcore import Message, RegisterCommand, RegisterHandler, Reply, hookimpl
from clawdcore.errors import GenerationFailed
from clawdcore.testing import Harness
from clawdcore.worker.streaming import ANSWER_LIMIT


class Writer:
    """Streams, strings and replies, most of them Markdown."""

    @hookimpl
    def register_handlers(self, register: RegisterHandler) -> None:
        @register("text", format="markdown")
        async def text(message: Message) -> AsyncIterator[str]:
            yield "**bo"
            await asyncio.sleep(1)
            yield "ld** `x`"

    @hookimpl
    def register_commands(self, register: RegisterCommand) -> None:
        @register("word", format="markdown")
        async def word(message: Message) -> str:
            """A word"""
            return "*word*"

        @register("plain")
        async def plain(message: Message) -> str:
            """A plain word"""
            return "*word*"

        @register("reply", format="markdown")
        async def reply(message: Message) -> Reply:
            """A reply with a format of its own"""
            return Reply(text="*word*")

        @register("half", format="markdown")
        async def half(message: Message) -> AsyncIterator[str]:
            """Half an answer"""
            yield "**so far**\n```py\nx = 1"
            raise GenerationFailed("gone")

        @register("long", format="markdown")
        async def long(message: Message) -> AsyncIterator[str]:
            """Too much code"""
            yield "```\n"
            yield "x = 1\n" * ANSWER_LIMIT


pytestmark = pytest.mark.plugins(Writer())


def entities(bot: Harness) -> list[str]:
    return [entity.type for entity in bot.sent[-1].entities]


def test_a_stream_of_markdown_is_sent_with_entities(bot: Harness) -> None:
    assert bot.say("hello") == "bold x"
    assert entities(bot) == ["bold", "code"]


def test_a_str_is_in_the_format_of_its_command_and_a_reply_in_its_own(bot: Harness) -> None:
    assert bot.say("/word") == "word"
    assert entities(bot) == ["italic"]
    assert bot.say("/plain") == bot.say("/reply") == "*word*"
    assert entities(bot) == []


def test_an_answer_that_broke_off_keeps_its_format_and_has_the_notice_below_its_code(
    bot: Harness,
) -> None:
    said = bot.say("/half")
    assert said.startswith("so far\nx = 1\n\n[")
    *styles, code = bot.sent[-1].entities
    assert [entity.type for entity in styles] == ["bold"]
    assert (code.type, code.language) == ("pre", "py")
    assert said[code.offset :][: code.length] == "x = 1"


def test_an_answer_that_is_too_long_ends_with_a_notice_that_is_no_code(bot: Harness) -> None:
    bot.say("/long")
    last = bot.sent[-1]
    assert last.text.endswith("this is its beginning.]")
    assert all(e.offset + e.length < last.text.index("[The answer") for e in last.entities)
