"""``clawdbot demo``: the whole bot in a terminal, with a Telegram server of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .demo_setup import Settings


@click.command("demo")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="Take models and plugins from this configuration; else the defaults.",
)
@click.option(
    "--model",
    metavar="PROVIDER/MODEL",
    help="The model that answers, in place of the configured ones.",
)
@click.option("--group", is_flag=True, help="A group with several people, in place of a chat.")
@click.option("--plain", is_flag=True, help="No prompt, no colours, whole answers only.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="How long a line that was piped in may wait for its answer; else 15 s more than "
    "agents.defaults.timeout.total.",
)
@click.pass_context
def command(
    ctx: click.Context,
    path: Path | None,
    model: str | None,
    group: bool,
    plain: bool,
    timeout: float | None,
) -> None:
    """Talk to the whole bot in this terminal: no account, no token.

    What is piped in is sent line by line; only the answers go to standard output.
    """
    from .demo_setup import load

    settings = load(path, model)
    debug = bool(ctx.obj and ctx.obj["debug"])
    on_terminal = not plain and sys.stdin.isatty() and sys.stdout.isatty()
    try:
        ctx.exit(_demo(settings.waiting(timeout), group, on_terminal, debug))
    except BrokenPipeError:
        # Whoever read the answers has gone; Python must not flush to them at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ctx.exit(1)


def _demo(settings: Settings, group: bool, on_terminal: bool, debug: bool) -> int:
    from .demo_processes import Processes
    from .demo_room import Group, Private, Room

    with Processes(debug=debug) as processes:
        click.echo("clawdbot: starting a local Telegram server and the bot", err=True)
        control = processes.start_server()
        room: Room = Group(control) if group else Private(control)
        if not processes.start_bot(settings, control.root):
            return 1
        if on_terminal:
            from .demo_terminal import Conversation

            return Conversation(room, control, processes.trouble, settings.model).run()
        from .demo_piped import answer_lines

        return answer_lines(sys.stdin, room, control, processes.trouble, settings.timeout)
