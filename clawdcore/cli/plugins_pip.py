"""Install and remove distributions with uv or pip; the command is shown before it runs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click

from ..errors import ClawdBotError
from ..hooks.errors import OWN_BACKENDS, OWN_PLUGINS, not_installed
from ..hooks.loader import installed


class NotInstalled(ClawdBotError):
    """The installer failed, or there is none."""


def installer() -> list[str]:
    """The command that installs into this Python: uv's pip where there is uv, else pip.

    Raises:
        NotInstalled: there is neither.
    """
    uv = Path(sys.executable).with_name("uv")
    found = str(uv) if uv.exists() else shutil.which("uv")
    if found:
        return [found, "pip"]
    if subprocess.run(
        [sys.executable, "-m", "pip", "--version"], capture_output=True, check=False
    ).returncode:
        raise NotInstalled(
            "there is neither uv nor pip for this Python.", fix="Install uv, or run: ensurepip."
        )
    return [sys.executable, "-m", "pip"]


def distribution(spec: str) -> str:
    """What to install for ``spec``: one of ours by its short name, all else as it is.

    Raises:
        NotInstalled: it looks like an option.
    """
    if spec.startswith("-"):
        raise NotInstalled(f"{spec} is an option, not a plugin.", fix="Call pip yourself for that.")
    ours = spec in OWN_PLUGINS or spec in OWN_BACKENDS
    return f"clawdbot-{spec}" if ours and not Path(spec).exists() else spec


def installed_as(name: str) -> str:
    """The distribution that provides the plugin ``name``.

    Raises:
        PluginNotInstalled: none does.
    """
    points = installed().get(name, [])
    dist = points[0].dist if points else None
    if dist is None:
        raise not_installed([name], sorted(installed()))
    return dist.name


def run(arguments: list[str], *, yes: bool) -> None:
    """Show the command, ask unless ``yes``, and run it with this Python as its target.

    Raises:
        click.Abort: the answer was no.
        NotInstalled: it failed; what it said is above.
    """
    if arguments[1:2] == ["pip"]:  # uv
        arguments = [*arguments[:3], "--python", sys.executable, *arguments[3:]]
    click.echo(shlex.join(arguments))
    if not yes:
        click.confirm("Run this?", default=True, abort=True)
    status = subprocess.run(arguments, check=False).returncode  # noqa: S603 - shown and asked
    if status:
        raise NotInstalled(
            f"the installer failed (status {status}).", fix="See what it said above."
        )
