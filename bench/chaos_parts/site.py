"""The folder that a bot lives in: plugins found without installing, configuration, logs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

TOKEN: Final = "1:TEST_" + "x" * 30
FAST: Final = {"perSecond": 1000, "perChat": 1000, "groupPerMinute": 60_000}
"""A pace at which nothing waits; what the server allows is another matter."""
PLUGINS: Final = ("parrot", "culprit", "sleeper")
_SOURCES: Final = Path(__file__).parent / "plugins"


@dataclass(slots=True)
class Site:
    """A bot's home. ``api_root`` is the Bot API server, ``webhook`` whether updates come by it.

    ``pace`` None leaves Telegram's own figures in force. ``concurrent`` is how many
    messages plugins have in their hands at once; ``timeout`` an answer's time in seconds.
    ``more`` are files of further plugins, ``owner`` is who is told of trouble, and
    ``memory`` the worker's limit in MB.
    """

    folder: Path
    api_root: str
    webhook: bool = False
    pace: Mapping[str, float] | None = field(default_factory=lambda: dict(FAST))
    concurrent: int = 64
    timeout: float = 60.0
    port: int = 0
    more: Sequence[Path] = ()
    owner: int = 0
    memory: int = 0

    def __post_init__(self) -> None:
        for name in ("logs", "tmp", "state", "plugins"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for plugin in PLUGINS:
            self._install(_SOURCES / f"clawdbot_{plugin}.py")
        for source in self.more:
            self._install(source)
        if self.webhook:
            self.port = free_port()
        self.config.write_text(json.dumps(self._content()), encoding="utf-8")

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "clawdbot.json"

    @property
    def log_files(self) -> list[Path]:
        """What the processes said, one file a start, oldest first."""
        return sorted((self.folder / "logs").iterdir())

    def environment(self) -> dict[str, str]:
        """The environment of the program: its home and its temporary files lie here."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLAWDBOT", "XDG_"))}
        paths = [str(self.folder / "plugins"), *filter(None, [kept.get("PYTHONPATH")])]
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join(paths),
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
        }

    def _content(self) -> dict[str, Any]:
        telegram: dict[str, Any] = {"apiRoot": self.api_root}
        if self.pace is not None:
            telegram["pace"] = self.pace
        if self.webhook:
            address = f"http://127.0.0.1:{self.port}/telegram-webhook"
            telegram["webhook"] = {"url": address, "port": self.port, "secret": "s" * 20}
        if self.owner:
            telegram["owner"] = self.owner
        milliseconds = int(self.timeout * 1000)
        return {
            "agents": {
                "defaults": {
                    "workspace": "state",
                    "model": {"primary": "parrot/none"},
                    "maxConcurrent": self.concurrent,
                    "timeout": {"total": milliseconds},
                    "worker": {"memoryMb": self.memory},
                }
            },
            "models": {"providers": {"parrot": {}}},
            "channels": {"telegram": telegram},
            "plugins": [*PLUGINS, *(_name(source) for source in self.more)],
        }

    def _install(self, source: Path) -> None:
        """What pip would leave of a distribution of one module with an entry point."""
        folder = self.folder / "plugins"
        module = source.stem
        shutil.copy(source, folder / source.name)
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        about = f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n"
        (info / "METADATA").write_text(about, encoding="utf-8")
        entry = f"[clawdbot]\n{_name(source)} = {module}\n"
        (info / "entry_points.txt").write_text(entry, encoding="utf-8")


def _name(source: Path) -> str:
    return source.stem.removeprefix("clawdbot_")


def program() -> list[str]:
    """The command ``clawdbot`` of this Python's environment."""
    beside = Path(sys.executable).with_name("clawdbot")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "clawdcore"]


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
