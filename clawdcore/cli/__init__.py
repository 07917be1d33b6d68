"""The command ``clawdbot``. Each subcommand's module is imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final

import click

from .. import __version__

COMMANDS: Final = {
    "run": "run",
    "reload": "reload",
    "demo": "demo",
    "init": "init",
    "new-plugin": "new_plugin",
    "doctor": "doctor",
    "monitor": "monitor",
    "rehearse": "rehearse",
    "config": "config",
    "ledger": "ledger",
    "data": "data",
    "plugins": "plugins",
}
"""Subcommand to module of this package; its attribute ``command`` is taken."""
DEBUG: Final = "--debug"


class _Lazy(click.Group):
    """Imports a subcommand's module only when it is needed.

    A name that is none of ours is looked for among the plugins' ``register_cli``.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module = import_module(f".{COMMANDS[cmd_name]}", __name__)
            command: click.Command = module.command
            return command
        from .plugin_commands import plugin_command

        return plugin_command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, n=1)
            raise click.UsageError(
                f"there is no command {args[0]!r}."
                + (f" Did you mean {near[0]!r}?" if near else f" Commands: {', '.join(COMMANDS)}."),
                ctx=ctx,
            ) from error


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="clawdbot")
@click.option(DEBUG, is_flag=True, help="Show tracebacks and debug logs. May stand anywhere.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """A Telegram assistant that stays quick, honest and private under floods.

    Start with `clawdbot demo` (no token needed), or `clawdbot init` and
    `clawdbot run`. Plugins may add commands of their own.
    """
    ctx.obj = {"debug": debug}


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run a subcommand; an error for people is one line, exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = DEBUG in given
    if debug:
        # Wherever it stood: the group's own option is the only one that there is.
        given = [DEBUG, *(word for word in given if word != DEBUG)]
    try:
        result: Any = cli.main(given, prog_name="clawdbot", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("clawdbot: stopped", err=True)
        sys.exit(130)
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        from .failures import for_people, traceback_of

        lines = for_people(error)
        if lines is None:
            raise
        if debug:
            click.echo(traceback_of(error), err=True)
        for line in lines:
            click.echo(f"clawdbot: {line}", err=True)
        sys.exit(1)
