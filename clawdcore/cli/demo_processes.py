"""The demo's processes: a local Telegram server, and the bot; started, watched, stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import click

from ..errors import ClawdBotError
from ..process import python
from .demo_control import Control
from .demo_room import USERNAME
from .demo_signals import Signals
from .demo_stderr import Stderr

if TYPE_CHECKING:
    from .demo_setup import Settings

PATIENCE: Final = 5.0
"""Seconds between asking a process to stop, asking again, and ending it."""


class Processes:
    """Both processes and the folder that the bot keeps its settings in.

    All of it is gone when the context ends, also by SIGTERM or SIGHUP. Should
    the demo be killed, they notice and end by themselves.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self._debug = debug
        self._folder = tempfile.TemporaryDirectory(prefix="clawdbot-demo-")
        self._server: subprocess.Popen[str] | None = None
        self._bot: subprocess.Popen[bytes] | None = None
        self._stderr: Stderr | None = None
        self._signals = Signals()

    def start_server(self, *, limits: bool = False) -> Control:
        """Start the server, with Telegram's flood limits or none; it answers when this returns.

        Raises:
            ClawdBotError: it did not start.
        """
        from .demo_setup import TOKEN

        command = [*python(), "clawdcore.testing.botapi", "--with-parent"]
        command += ["--token", TOKEN, "--username", USERNAME, *(["--limits"] if limits else [])]
        printed = Path(self._folder.name) / "server.log"
        with printed.open("wb") as log:
            self._server = subprocess.Popen(  # noqa: S603 - our own program
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if self._debug else log,
                text=True,
                start_new_session=True,
            )
        assert self._server.stdout is not None
        first = self._server.stdout.readline()
        if not first:
            self._server.wait()
            words = printed.read_text(encoding="utf-8", errors="replace").strip()
            reason = words.splitlines()[-1:] or ["it gave no reason"]
            raise ClawdBotError(
                f"the local Telegram server did not start: {reason[0]}.",
                fix="Run again with --debug to see all that it printed.",
            )
        return Control(json.loads(first)["root"])

    def start_bot(self, settings: Settings, api_root: str) -> bool:
        """Start the bot; returns whether it became ready.

        Until then what it prints on standard error goes to ours: a model's
        download, and the one line that says why it can't start.
        """
        folder = Path(self._folder.name)
        file = folder / "clawdbot.json"
        file.write_text(settings.written(api_root, folder / "workspace"), encoding="utf-8")
        command = [*python(), "clawdcore.cli.tethered", *(["--debug"] if self._debug else [])]
        command += ["run", "--config", str(file)]
        self._stderr = Stderr(forward_all=self._debug)
        try:
            self._bot = subprocess.Popen(  # noqa: S603 - our own program
                command,
                env=settings.environment(),
                stdin=subprocess.PIPE,
                stdout=self._stderr.theirs,
                stderr=self._stderr.theirs,
                start_new_session=True,
            )
        finally:
            self._stderr.started()
        if self._stderr.wait_ready():
            return True
        status = self._bot.wait()
        if status < 0:
            click.echo(f"clawdbot: the bot was ended by {_signal(status)}.", err=True)
        return False

    def trouble(self) -> str:
        """What has ended that should not have, in a line; "" while all is well."""
        if self._bot is not None and self._bot.poll() is not None:
            status = self._bot.returncode
            how = f"by {_signal(status)}" if status < 0 else f"with exit code {status}"
            said = "; ".join(self._stderr.last_words() if self._stderr else [])
            return f"the bot ended {how}{f': {said}' if said else '.'}"
        if self._server is not None and self._server.poll() is not None:
            return "the local Telegram server ended."
        return ""

    def __enter__(self) -> Self:
        self._signals.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A second Ctrl-C must not leave anything behind; this takes seconds at most.
        self._signals.ignore_interrupts()
        try:
            for process in (self._bot, self._server):
                if process is not None:
                    _end(process)
            if self._stderr is not None:
                self._stderr.close()
            self._folder.cleanup()
        finally:
            self._signals.__exit__(kind, error, trace)


def _end(process: subprocess.Popen[Any]) -> None:
    """Stop a process and reap it."""
    for ask in (process.terminate, process.terminate, process.kill):
        if process.poll() is None:
            ask()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                continue
        break
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _signal(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
