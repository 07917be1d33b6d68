"""A bot with the plugin, and one that echoes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from clawdbot_burn import Burn
from clawdcore import Message, Reply, hookimpl
from clawdcore.testing import Harness


class Echo:
    """Says what people said; ``short`` in a message that vanishes after 10 s by itself."""

    @hookimpl
    def register_handlers(self, register: Any) -> None:
        @register("text")
        async def echo(message: Message) -> Any:
            if message.body == "short":
                return Reply(text="short", delete_after=10)
            return f"echo {message.body}"

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("long")
        async def long(message: Message) -> str:
            """Say much"""
            return "word " * 2000

        @register("grow")
        async def grow(message: Message) -> AsyncIterator[str]:
            """Say much, bit by bit"""
            for _ in range(20):
                yield "word " * 100
                await asyncio.sleep(1)

        @register("broken")
        async def broken(message: Message) -> str:
            """Fail"""
            raise RuntimeError

        @register("number")
        async def number(message: Message, number: int) -> str:
            """Take a number"""
            return f"{number}"


@pytest.fixture
def burning() -> Iterator[Harness]:
    with Harness([Burn(), Echo()]) as bot:
        yield bot
