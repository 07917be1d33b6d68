"""``clawdbot config show`` and ``clawdbot config schema``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group("config")
def command() -> None:
    """Show the configuration, or its JSON Schema."""


@command.command("show")
@click.option("-c", "--config", "path", type=click.Path(path_type=Path), help="The file to load.")
def show(path: Path | None) -> None:
    """Print the configuration as it acts: every default included, secrets hidden."""
    from .. import config as configuration

    loaded = configuration.load(path)
    click.echo(configuration.show(loaded))
    for line in (*loaded.notes, *loaded.inert_keys_set()):
        click.echo(f"note: {line}", err=True)


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of clawdbot.json, for editors."""
    from .. import config as configuration

    click.echo(json.dumps(configuration.schema(), indent=2, ensure_ascii=False))
