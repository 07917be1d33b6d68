"""The whole program in its two processes, against a Bot API server over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from clawdcore.edge.ledger import LEDGER_FILE
from clawdcore.testing.botapi import BotApiServer

TOKEN = "1:TEST_" + "x" * 30
PLUGIN = """
import asyncio, ctypes, os, time
from clawdcore import hookimpl

@hookimpl
def register_commands(register, context):
    @register("say")
    async def say(message, text: str):
        "Say it back"
        return text

    @register("slow")
    async def slow(message, seconds: float, text: str):
        "Say it later"
        await asyncio.sleep(seconds)
        return text

    @register("version")
    async def version(message):
        "Which one runs"
        return "one"
"""
CULPRIT = """
import ctypes, time
from clawdcore import hookimpl

@hookimpl
def register_commands(register, context):
    @register("crash")
    async def crash(message):
        "Crash the process"
        ctypes.string_at(0)

    @register("block")
    async def block(message):
        "Block the loop"
        time.sleep(60)

    @register("harmless")
    async def harmless(message):
        "Do nothing bad"
        return "harmless"
"""


def install(folder: Path, name: str, source: str) -> None:
    """What pip would leave of a one-module distribution with an entry point."""
    (folder / f"clawdbot_{name}.py").write_text(source)
    info = folder / f"clawdbot_{name}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: clawdbot_{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[clawdbot]\n{name} = clawdbot_{name}\n")


class Program:
    """A running ``clawdbot run``."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.process = process
        self.lines: list[str] = []
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.lines.append(line.decode().rstrip())
            self._changed.set()

    async def said(self, words: str, *, times: int = 1) -> None:
        """Until ``words`` stand in so many lines."""
        while sum(words in line for line in self.lines) < times:
            self._changed.clear()
            if self._reading.done():
                raise AssertionError(f"{words!r} was never said: {self.lines}")
            waiting = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait({waiting, self._reading}, return_when="FIRST_COMPLETED")
            waiting.cancel()

    def worker(self) -> int:
        """The process id of the worker."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        workers = [c for c in children if b"clawdcore.worker" in _command(c)]
        return int(workers[-1])

    async def new_worker(self, old: int) -> int:
        """The process id of the worker after ``old``."""
        while True:
            try:
                pid = self.worker()
            except (IndexError, OSError):
                pid = old
            if pid != old:
                return pid
            await asyncio.sleep(0.02)

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    async def kill(self) -> None:
        """``kill -9`` of the edge; the worker must follow by itself."""
        worker = self.worker()
        self.process.kill()
        await self.process.wait()
        while Path(f"/proc/{worker}").exists():
            await asyncio.sleep(0.02)


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Place:
    """A folder with plugins and a configuration, and a Bot API server."""

    def __init__(self, folder: Path, server: BotApiServer) -> None:
        self.folder = folder
        self.server = server
        self.programs: list[Program] = []
        self.telegram: dict[str, Any] = {}
        self.gateway: dict[str, Any] = {"enabled": False}
        self.ago = 0.0
        """Seconds by which what is written now looks older than it is."""

    def configure(self, *, plugins: list[Any] | None = None, **defaults: Any) -> Path:
        """Write the configuration."""
        file = self.folder / "clawdbot.json"
        content = {
            "agents": {"defaults": {"workspace": "state", **defaults}},
            "channels": {"telegram": {"apiRoot": self.server.root, **self.telegram}},
            "gateway": self.gateway,
            "plugins": ["here", "culprit"] if plugins is None else plugins,
        }
        content["agents"]["defaults"]["model"] = {"primary": "nobody/none"}
        content["models"] = {"providers": {"nobody": {}}}
        file.write_text(json.dumps(content))
        return file

    def install(self, name: str, source: str) -> None:
        """One more plugin of one module."""
        install(self.folder, name, source)

    @property
    def environment(self) -> dict[str, str]:
        """Of every process of the bot."""
        path = {"PYTHONPATH": str(self.folder), "HOME": str(self.folder)}
        return {**os.environ, **path, "TELEGRAM_BOT_TOKEN": TOKEN}

    async def run(self, *options: str, ready: bool = True) -> Program:
        """Start the bot."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "clawdcore", "run", "--config",
            str(self.folder / "clawdbot.json"), *options,
            cwd=self.folder, env=self.environment, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        program = Program(self.folder, process)
        self.programs.append(program)
        if ready:
            await program.said("ready:")
        return program

    def texts(self) -> list[str]:
        """What the bot has sent, in order."""
        return [record.text or "" for record in self.server.sent]

    async def ended(self, number: int) -> None:
        """Until the ledger says of so many updates that they are done."""
        ledger = self.folder / "state" / TOKEN.partition(":")[0] / LEDGER_FILE
        async with asyncio.timeout(30):
            while True:
                with closing(sqlite3.connect(ledger)) as database:
                    [[found]] = database.execute("select count(*) from ended")
                if found >= number:
                    return
                await asyncio.sleep(0.05)

    async def count(self, number: int) -> None:
        """Until the bot has sent so many messages."""
        await self.server.wait(lambda: len(self.server.sent) >= number, 30)


BACKEND = """
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
"""
Story = Callable[[Place], Awaitable[None]]


@pytest.fixture
def place(tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story in a place of its own, with Telegram's limits out of the way."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Place]:
        async with BotApiServer(TOKEN, clock=lambda: time.time() - here.ago) as server:
            install(tmp_path, "here", PLUGIN)
            install(tmp_path, "culprit", CULPRIT)
            install(tmp_path, "nobody", BACKEND)
            here = Place(tmp_path, server)
            fast = {"perSecond": 1000, "perChat": 1000, "groupPerMinute": 60_000}
            here.telegram = {"pace": fast}
            here.configure()
            try:
                yield here
            finally:
                for program in here.programs:
                    if program.process.returncode is None:
                        program.process.kill()
                        await program.process.wait()
                    await program._reading

    def tell(story: Story) -> None:
        async def run() -> None:
            async with asyncio.timeout(90), made() as here:
                await story(here)

        asyncio.run(run())

    return tell
