"""``clawdbot new-plugin``: write a plugin, or a backend, that can be published as it is."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click


@click.command("new-plugin")
@click.argument("name", required=False)
@click.option("--backend", is_flag=True, help="A backend for a model server, not a plugin.")
@click.option("--description", metavar="TEXT", help="What it does, in one line.")
@click.option("--author", metavar="NAME", help='Who wrote it: "Ada", or "Ada <ada@example.org>".')
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The folder to make; clawdbot-NAME without it.",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; take defaults for what is missing.")
def command(
    name: str | None,
    backend: bool,
    description: str | None,
    author: str | None,
    into: Path | None,
    yes: bool,
) -> None:
    """Write a plugin of your own: code, tests, CI, ready to publish."""
    from .init_questions import Silent, Terminal
    from .new_plugin_steps import Wishes, make

    missing = [
        what
        for what, given in (
            ("NAME", name),
            ("--description", description),
            ("--author", author),
        )
        if given is None
    ]
    if yes and name is None:
        raise click.UsageError("it needs a name: clawdbot new-plugin weather --yes")
    if missing and not yes and not sys.stdin.isatty():
        raise click.UsageError(
            f"there is no terminal to ask on for {', '.join(missing)}. "
            "Give them, or NAME and --yes."
        )
    make(
        Wishes(name=name, backend=backend, description=description, author=author, into=into),
        Silent() if yes else Terminal(),
        year=datetime.now(UTC).year,
    )
