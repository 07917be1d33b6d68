"""``clawdbot vllm serve``: print the line that starts a vLLM server, or run it."""

from __future__ import annotations

import os
import shutil
import sys

import click

from .profiles import PROFILES, line
from .profiles_old import renewed


@click.group("vllm")
def command() -> None:
    """Start a vLLM server with settings that suit the bot."""


@command.command("serve", context_settings={"ignore_unknown_options": True})
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="small",
    show_default=True,
    help="small: 7B, 32 at once; medium: 7B, 64 at once; large: 14B on two GPUs, 128 at once.",
)
@click.option("--model", default="", help="Another model: its name on a hub, or a folder.")
@click.option("--name", default="", help="What requests call it; by default the model's last part.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--run", is_flag=True, help="Become that server instead of printing the line.")
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def serve(
    profile: str, model: str, name: str, host: str, port: int, run: bool, flags: tuple[str, ...]
) -> None:
    """Print the command for a server of this size, and why each flag is there.

    FLAGS are vLLM's own; they win over the profile's. Those of old guides are
    replaced by today's.
    """
    added, notes = renewed(flags)
    for note in notes:
        click.echo(f"clawdbot: {note}", err=True)
    wanted = line(PROFILES[profile], model=model, name=name, host=host, port=port, added=added)
    if not run:
        click.echo(wanted.shown())
        return
    words = wanted.words()
    program = shutil.which(words[0])
    if program is None:
        raise click.ClickException(
            "there is no program vllm on the PATH. Install it into an environment of its own, "
            "on a machine with a GPU: pip install vllm"
        )
    sys.stdout.flush()
    os.execv(program, [program, *words[1:]])  # noqa: S606 - to become the server is the purpose
