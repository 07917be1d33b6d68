"""``clawdbot reload``: have a running bot take up plugins and configuration anew."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

import click

from ..errors import ClawdBotError
from .status import STATUS_FILE, Told, read

PATIENCE: Final = 240.0
"""Seconds to wait: the old worker may finish what it has, and the new one start a model."""
LOOK: Final = 0.1


class NotRunning(ClawdBotError):
    """No bot runs with this configuration."""


class NotReloaded(ClawdBotError):
    """The bot goes on as it was."""


@click.command("reload")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The configuration that the bot runs with; found as by `clawdbot run`.",
)
def command(path: Path | None) -> None:
    """Have the running bot take up plugins and configuration anew.

    It starts a fresh worker and lets the old one finish: nothing is lost, and
    nobody notices. A configuration that can't be used changes nothing.
    `channels` and the folder of the state take effect with the next start only.
    """
    status, told = _running(path)
    os.kill(told.pid, signal.SIGHUP)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        now = read(status)
        if now is None:
            raise NotReloaded("the bot stopped while it reloaded.", fix="See its log.")
        if now.reloads > told.reloads:
            if now.failure:
                raise NotReloaded(f"nothing has changed: {now.failure}")
            click.echo("reloaded")
            return
        time.sleep(LOOK)
    raise NotReloaded(f"no answer within {PATIENCE:g} s.", fix="See the bot's log.")


def _running(path: Path | None) -> tuple[Path, Told]:
    """The status file of the bot that runs, and what it says.

    Raises:
        NotRunning: there is none.
    """
    from ..config import load

    config = load(path)
    token = config.channels.telegram.bot_token
    bot = token.get_secret_value().partition(":")[0] if token is not None else "*"
    for status in sorted(config.workspace_path.glob(f"{bot}/{STATUS_FILE}")):
        told = read(status)
        if told is not None and _lives(told.pid):
            return status, told
    raise NotRunning(
        f"no bot runs whose state is in {config.workspace_path}.",
        fix="Start it with: clawdbot run; or name its configuration with --config.",
    )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
