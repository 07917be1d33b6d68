"""Deletions that are owed when every process is killed happen after the next start, on time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from clawdcore.edge.ledger import LEDGER_FILE
from clawdcore.testing.botapi import BotApiServer

TOKEN = "1:TEST_" + "x" * 30
SPAN = 25
"""Seconds; long enough to be killed within, on a busy machine too."""
PLUGIN = """
from clawdcore import Backend, Load, hookimpl

class Nobody(Backend):
    async def start(self): pass
    async def close(self): pass
    async def models(self): return []
    async def generate(self, request):
        raise NotImplementedError
        yield
    async def load(self): return Load(running=0, waiting=0, capacity=1)

@hookimpl
def register_backends(register):
    register("nobody", lambda provider: Nobody())

@hookimpl
def register_commands(register):
    @register("say")
    async def say(message, text: str):
        "Say it back"
        return text
"""
pytestmark = [
    pytest.mark.skipif(
        not entry_points(group="clawdbot", name="burn"), reason="clawdbot-burn isn't installed"
    ),
    pytest.mark.skipif(not hasattr(os, "killpg"), reason="kills a process group, as POSIX has it"),
]


def prepare(folder: Path, server: BotApiServer) -> None:
    """A plugin as pip would leave it, and a configuration."""
    (folder / "clawdbot_nobody.py").write_text(PLUGIN)
    info = folder / "clawdbot_nobody-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clawdbot_nobody\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[clawdbot]\nnobody = clawdbot_nobody\n")
    defaults = {"workspace": "state", "model": {"primary": "nobody/none"}}
    content = {
        "agents": {"defaults": defaults},
        "models": {"providers": {"nobody": {}}},
        "channels": {"telegram": {"apiRoot": server.root}},
        "gateway": {"enabled": False},
        "plugins": ["nobody", "burn"],
    }
    (folder / "clawdbot.json").write_text(json.dumps(content))


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[None]:
    """``clawdbot run``; at the end every process of it is killed at once."""
    path = {"PYTHONPATH": str(folder), "HOME": str(folder), "TELEGRAM_BOT_TOKEN": TOKEN}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clawdcore", "run", "--config", str(folder / "clawdbot.json"),
        cwd=folder, env={**os.environ, **path}, start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL, "it ended by itself"


async def owed(folder: Path, number: int) -> None:
    """Until the ledger says that so many deletions are owed, and that nothing is under way."""
    ledger = folder / "state" / TOKEN.partition(":")[0] / LEDGER_FILE
    async with asyncio.timeout(30):
        while True:
            with closing(sqlite3.connect(ledger)) as database:
                [[found]] = database.execute("select count(*) from deletion")
                [[ended]] = database.execute("select count(*) from ended")
            if found >= number and ended >= number // 2:
                return
            await asyncio.sleep(0.05)


def test_what_is_owed_when_all_is_killed_vanishes_after_the_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with asyncio.timeout(240), BotApiServer(TOKEN, clock=time.time) as server:
            prepare(tmp_path, server)
            ada = server.user(1, "Ada")
            async with running(tmp_path):
                server.say(ada, f"/burn on {SPAN}s")
                await server.wait(lambda: len(server.sent) >= 1, 90)
                server.say(ada, "/say secret")
                await server.wait(lambda: len(server.sent) >= 2, 30)
                await owed(tmp_path, 4)
            assert server.deleted == []
            async with running(tmp_path):
                await server.wait(lambda: len(server.deleted) >= 4, 120)
            gone = {record.message["message_id"]: record for record in server.deleted}
            assert len(gone) == len(server.deleted) == 4, "answers and questions, once each"
            for sent in server.sent:
                assert gone[sent.message["message_id"]].at >= sent.at + SPAN - 1
            assert server.violations == []

    asyncio.run(story())
