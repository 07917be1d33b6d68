"""``clawdbot run``: the bot, until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("run")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The configuration; else clawdbot.json here or in the user's folder, else defaults.",
)
@click.option(
    "--single",
    is_flag=True,
    help="Everything in one process: for debugging. A crash then loses what was under way.",
)
@click.pass_context
def command(ctx: click.Context, path: Path | None, single: bool) -> None:
    """Run the bot until SIGTERM or Ctrl-C.

    What was accepted is answered before it stops. Plugins and models run in a
    process of their own, which is replaced when it dies. SIGHUP, or `clawdbot
    reload`, swaps it for one with the present plugins and configuration.
    """
    from .serve import serve

    serve(path, debug=bool(ctx.obj and ctx.obj["debug"]), single=single)
