"""The command ``clawdbot``. Each subcommand's module is imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click

from .. import __version__

COMMANDS: Final = {
    "run": "run",
    "demo": "demo",
    "init": "init",
    "doctor": "doctor",
    "config": "config",
}
"""Subcommand to module of this package; its attribute ``command`` is taken."""


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


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="clawdbot")
@click.option("--debug", is_flag=True, help="Show tracebacks and debug logs.")
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
    debug = "--debug" in given
    try:
        result: Any = cli.main(
            [word for word in given if word != "--debug"] if debug else given,
            prog_name="clawdbot",
            standalone_mode=False,
            obj={"debug": debug},
        )
        sys.exit(result if isinstance(result, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("clawdbot: stopped", err=True)
        sys.exit(130)
    except BaseException as error:
        if debug or isinstance(error, SystemExit):
            raise
        from .failures import for_people

        lines = for_people(error)
        if lines is None:
            raise
        for line in lines:
            click.echo(f"clawdbot: {line}", err=True)
        sys.exit(1)
