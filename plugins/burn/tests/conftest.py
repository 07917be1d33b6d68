"""A bot with the plugin, and one that echoes."""

from __future__ import annotations

from collections.abc import Iterator
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


@pytest.fixture
def burning() -> Iterator[Harness]:
    with Harness([Burn(), Echo()]) as bot:
        yield bot
