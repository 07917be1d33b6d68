"""A distribution with a plugin and a model of its own, and ways to run the command with them."""

from __future__ import annotations

import codecs
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from clawdcore.hooks.errors import OWN_PLUGINS

POINTS = "[clawdbot]\nparrot = clawdbot_parrot\nechoes = clawdbot_echoes\n"
PLUGIN = """
import os, signal
from clawdcore import Request, Turn, hookimpl

@hookimpl
def register_commands(register):
    @register("long")
    async def long(message):
        "Several messages long"
        return "\\n\\n".join(letter * 3000 for letter in "abc")

    @register("silent")
    async def silent(message):
        "Say nothing"

    @register("crash")
    async def crash(message):
        "End the bot"
        os.kill(os.getppid(), signal.SIGKILL)

@hookimpl
def register_handlers(register, context):
    @register("text", addressed=True)
    async def say(message):
        async for chunk in context.models.generate(Request(turns=(Turn("user", message.body),))):
            yield chunk.text
"""
BACKEND = '''
import asyncio, os
from clawdcore import Backend, Chunk, Load, ModelFileMissing, ModelInfo, hookimpl

class Echoes(Backend):
    """Gives back the words of the last turn; waits at each "|" until the gate is opened once."""

    def __init__(self, provider):
        self.options = provider.options

    async def start(self):
        if self.options.get("missing"):
            raise ModelFileMissing("the model echo is not here.", fix="Connect to the internet.")

    async def close(self):
        pass

    async def models(self):
        return [ModelInfo(id="echo", context_length=4096, max_output_tokens=1000)]

    async def load(self):
        return Load(running=0, waiting=0, capacity=1)

    async def diagnose(self):
        return [("WARN", "the model echo needs 3 GB.", "Free memory.")]

    async def generate(self, request):
        for word in request.turns[-1].content.split():
            if word == "|":
                await asyncio.to_thread(lambda: open(self.options["gate"]).read())
            else:
                yield Chunk(text=word + " ")
        yield Chunk(finish="stop")

@hookimpl
def register_backends(register):
    register("echoes", Echoes)
'''


@pytest.fixture(scope="session")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that provides the plugin ``parrot`` and the backend ``echoes`` to Python."""
    folder = tmp_path_factory.mktemp("site")
    about = folder / "parrot-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1\n")
    (about / "entry_points.txt").write_text(POINTS)
    (folder / "clawdbot_parrot.py").write_text(PLUGIN)
    (folder / "clawdbot_echoes.py").write_text(BACKEND)
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Writes a configuration for them; ``options`` are the backend's."""

    def write(**options: Any) -> Path:
        import json

        file = tmp_path / "parrot.json"
        values = {
            "agents": {"defaults": {"model": "echoes/echo"}},
            "models": {"providers": {"echoes": {"options": options}}},
            "plugins": ["parrot"],
        }
        file.write_text(json.dumps(values))
        return file

    return write


@pytest.fixture
def environment(parrot: Path, tmp_path: Path) -> dict[str, str]:
    """This process's, with the distribution, folders that are the test's own, and English."""
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TELEGRAM_", "LC_", "CLAWDBOT_"))
    }
    path = os.pathsep.join(filter(None, (str(parrot), os.environ.get("PYTHONPATH"))))
    own = {"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config", "TMPDIR": "tmp"}
    (tmp_path / "tmp").mkdir()
    return {
        **keep,
        **{name: str(tmp_path / folder) for name, folder in own.items()},
        "PYTHONPATH": path,
        "LANG": "C.UTF-8",
    }


Clawdbot = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def clawdbot(environment: dict[str, str], tmp_path: Path) -> Clawdbot:
    """Runs ``clawdbot ARGUMENTS`` with ``said`` on its standard input."""

    def run(*arguments: object, said: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clawdcore", *map(str, arguments)],
            input=said,
            env={**environment, **env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


PATIENCE = 60.0
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches it
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Player:
    """Somebody at a terminal: types, and sees what appears."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self._terminal = terminal
        self.process = process
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def until(self, text: str) -> str:
        """Wait for it; what appeared up to it since the last time, without escape codes."""
        ends = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert self._read(ends), f"{text!r} did not appear after {self.seen!r}"
        before, found, self.seen = self.seen.partition(text)
        return before + found

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        ends = time.monotonic() + PATIENCE
        while self._read(ends):
            continue
        return self.process.wait(max(0.1, ends - time.monotonic()))

    def _read(self, ends: float) -> bool:
        """See what is new; False once nobody holds the other end, or time is over."""
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, ends - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._terminal, 4096)
        except OSError:
            return False  # how Linux says that nobody holds the other end
        self.seen = ESCAPES.sub("", self.seen + self._decoder.decode(data))
        return bool(data)


@contextmanager
def _seated(environment: dict[str, str], folder: Path, *arguments: str) -> Iterator[Player]:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, "-m", "clawdcore", *arguments],
        env={**environment, "TERM": "xterm"},
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Player(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


SitDown = Callable[..., AbstractContextManager[Player]]


@pytest.fixture
def sit_down(environment: dict[str, str], tmp_path: Path) -> SitDown:
    """Runs ``clawdbot ARGUMENTS`` on a terminal: ``with sit_down("demo") as player``."""

    def run(*arguments: object) -> AbstractContextManager[Player]:
        return _seated(environment, tmp_path, *map(str, arguments))

    return run


@pytest.fixture
def missing() -> Callable[[int], list[str]]:
    """Names plugins of ours that this environment doesn't have; .ci/run has one without any."""

    def names(count: int) -> list[str]:
        absent = [name for name in OWN_PLUGINS if not entry_points(group="clawdbot", name=name)]
        if len(absent) < count:
            pytest.skip("too many plugins of ours are installed here; the core alone has none")
        return absent[:count]

    return names
