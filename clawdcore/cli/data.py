"""``clawdbot data export``: everything that is kept on disk, of one chat or user or of all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..errors import ClawdBotError


class NotWritten(ClawdBotError):
    """The file of an export can't be written."""


@click.group("data")
def command() -> None:
    """Hand out what the bot keeps on disk: settings, ids and times."""


@command.command("export")
@click.option("-c", "--config", "path", type=click.Path(path_type=Path), help="The file to load.")
@click.option("--user", type=int, help="Only what belongs to this user's id.")
@click.option("--chat", type=int, help="Only what belongs to this chat's id.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Write it there; a file is not overwritten.",
)
def export(path: Path | None, user: int | None, chat: int | None, out: Path | None) -> None:
    """Print all that is on disk as JSON; the bot may be running.

    With --user and --chat only what belongs to both. What people write is in no file, and
    so in no export; what a running bot has in memory is left out.
    """
    import msgspec

    from ..config import load
    from .ledger import folder_of

    config = load(path)
    folder = folder_of(config)
    folders = sorted(config.workspace_path.glob("[0-9]*")) if folder is None else [folder]
    bots = {each.name: _kept(each, user=user, chat=chat) for each in folders}
    text = msgspec.json.format(msgspec.json.encode({"bots": bots}), indent=2)
    if out is None:
        click.echo(text)
        return
    try:
        file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(text + b"\n")
    except OSError as error:
        raise NotWritten(
            f"{out} can't be written ({(error.strerror or 'no such place').lower()}).",
            fix="Name a file that isn't there, in a folder that you may write.",
        ) from None
    click.echo(f"written to {out}", err=True)


def _kept(folder: Path, *, user: int | None, chat: int | None) -> dict[str, Any]:
    """What one bot's folder holds."""
    from ..edge.ledger import LEDGER_FILE, read_all
    from ..hooks.storage import SETTINGS_FILE, read_settings

    settings, ledger = folder / SETTINGS_FILE, folder / LEDGER_FILE
    rows = read_all(ledger, user=user, chat=chat) if ledger.is_file() else {}
    return {
        "settings": read_settings(settings, user=user, chat=chat) if settings.is_file() else [],
        "open_updates": rows.get("held", []),
        "done_updates": rows.get("ended", []),
        "deletions_owed": rows.get("deletion", []),
        "planned_calls": rows.get("plan", []),
    }
