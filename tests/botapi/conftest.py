"""One way to run a scene: a server, and python-telegram-bot as its client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from telegram import Bot

from clawdcore.testing.botapi import BotApiServer

Scene = Callable[[BotApiServer, Bot], Awaitable[None]]


def client(server: BotApiServer) -> Bot:
    return Bot(server.token, base_url=f"{server.root}/bot", base_file_url=f"{server.root}/file/bot")


@pytest.fixture
def play() -> Callable[..., None]:
    """Runs ``scene(server, bot)``; the server must not have failed by itself."""

    def run(scene: Scene, **options: Any) -> None:
        async def main() -> None:
            async with BotApiServer(**options) as server, client(server) as bot:
                await scene(server, bot)
                assert server.crashes == []

        asyncio.run(asyncio.wait_for(main(), 30))

    return run
