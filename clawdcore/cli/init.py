"""``clawdbot init``: ask what is needed, and write a commented clawdbot.json."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("init")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("clawdbot.json"),
    show_default=True,
    help="The file to write.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="A file with the bot's token; the configuration refers to it.",
)
@click.option("--api-root", metavar="URL", help="A Bot API server of your own.")
@click.option("--model", metavar="PROVIDER/MODEL", help="The model that answers.")
@click.option("--base-url", metavar="URL", help="The address of the server that has --model.")
@click.option(
    "--api-key-variable",
    metavar="NAME",
    help="The environment variable with the key of that server.",
)
@click.option("--owner", type=click.IntRange(min=1), metavar="ID", help="Your Telegram user id.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; take what is given and found.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
def command(
    output: Path,
    token_file: Path | None,
    api_root: str | None,
    model: str | None,
    base_url: str | None,
    api_key_variable: str | None,
    owner: int | None,
    yes: bool,
    force: bool,
) -> None:
    """Set up a bot: its token, its model, its owner; writes clawdbot.json."""
    from .init_questions import Silent, Terminal
    from .init_steps import Wishes, set_up

    if not yes and not sys.stdin.isatty():
        raise click.UsageError(
            "there is no terminal to ask on. Add --yes, and give what you want as options."
        )
    set_up(
        Wishes(
            output=output,
            token_file=token_file,
            api_root=api_root,
            model=model,
            base_url=base_url,
            api_key_variable=api_key_variable,
            owner=owner,
            force=force,
        ),
        Silent() if yes else Terminal(),
    )
