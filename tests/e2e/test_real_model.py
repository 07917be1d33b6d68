"""The main job: messages over HTTP, answered by the real embedded model."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clawdcore.testing.botapi import BotApiServer

pytestmark = pytest.mark.real

TOKEN = "1:TEST_" + "x" * 30
SECRET = "s3cret_" + "x" * 20
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = "The meeting starts at nine tomorrow morning."
START_LIMIT = 300.0
"""Seconds for the model to load on a slow machine."""
ANSWER_LIMIT = 120.0


async def with_bot(
    folder: Path, telegram: dict[str, Any], story: Callable[[BotApiServer], Any]
) -> None:
    """Run ``clawdbot run`` as a user would, and end it as a user would."""
    async with BotApiServer(TOKEN) as server:
        telegram = {"apiRoot": server.root, **telegram}
        config = folder / "clawdbot.json"
        config.write_text(
            json.dumps(
                {
                    "channels": {"telegram": telegram},
                    "agents": {
                        "defaults": {
                            "workspace": str(folder / "state"),
                            "timeout": {"request": 100_000, "total": 110_000},
                        }
                    },
                }
            )
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "clawdcore", "run", "--config", str(config),
            env={**os.environ, "TELEGRAM_BOT_TOKEN": TOKEN},
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(START_LIMIT):
                said = b""
                assert process.stderr is not None
                while b"ready:" not in said:
                    line = await process.stderr.readline()
                    assert line, said.decode()
                    said += line
            reading = asyncio.create_task(process.stderr.read())
            await story(server)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 60) == 0
            log = (await reading).decode()
            assert "meeting" not in log
            assert server.violations == []
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def last(server: BotApiServer) -> str:
    return str(server.sent[-1].message["text"])


def test_private_group_and_reply_by_polling(tmp_path: Path) -> None:
    async def story(server: BotApiServer) -> None:
        ada, bob = server.user(7, "Ada"), server.user(8, "Bob")
        group = server.group(-1000000000005, "News", [ada, bob])

        server.say(ada, f"/translate zh {SENTENCE}")
        await server.wait(lambda: len(server.sent) == 1, ANSWER_LIMIT)
        assert CHINESE.search(last(server))
        assert "九" in last(server) or "9" in last(server)

        server.say(ada, "What is the capital of France? One word.")
        await server.wait(lambda: len(server.sent) == 2, ANSWER_LIMIT)
        assert "Paris" in last(server)
        assert server.drafts, "the answer is shown while it grows"

        server.say(bob, "nobody asked the bot", group)
        server.say(bob, "@clawd_bot What is the capital of Italy? One word.", group)
        await server.wait(lambda: len(server.sent) == 3, ANSWER_LIMIT)
        assert "Rome" in last(server)
        assert server.sent[-1].chat_id == group.id

        statement = server.say(bob, "Good morning, how are you today?", group)
        server.say(ada, "/translate fr", group, reply_to=statement)
        await server.wait(lambda: len(server.sent) == 4, ANSWER_LIMIT)
        assert re.search(r"bonjour|bon matin", last(server), re.IGNORECASE)

    asyncio.run(with_bot(tmp_path, {}, story))


def test_webhook_with_secret(tmp_path: Path) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/telegram-webhook"

    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada")
        server.say(ada, f"/translate zh {SENTENCE}")
        await server.wait(lambda: len(server.sent) == 1, ANSWER_LIMIT)
        assert CHINESE.search(last(server))
        forged = {
            "update_id": 999,
            "message": {
                "message_id": 9,
                "date": 1,
                "chat": {"id": 7, "type": "private"},
                "from": {"id": 7, "is_bot": False, "first_name": "Ada"},
                "text": "/help",
            },
        }
        async with aiohttp.ClientSession() as http:
            wrong = {"X-Telegram-Bot-Api-Secret-Token": "wrong"}
            async with http.post(url, json=forged, headers=wrong) as response:
                assert response.status == 401
        server.say(ada, "/help")
        await server.wait(lambda: len(server.sent) == 2, ANSWER_LIMIT)
        assert "/translate" in last(server)

    hook = {"url": url, "port": port, "secret": SECRET}
    asyncio.run(with_bot(tmp_path, {"webhook": hook}, story))
