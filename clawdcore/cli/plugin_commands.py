"""Subcommands that plugins add with ``register_cli``."""

from __future__ import annotations

import click

from ..config import load
from ..errors import ClawdBotError
from ..hooks.foreign import guarded
from ..hooks.loader import Loader


def plugin_command(name: str) -> click.Command | None:
    """The subcommand ``name`` of a listed plugin, or of a distribution of that name, or None.

    A plugin that can't be loaded is named on standard error and passed over.
    """
    group = click.Group("plugins")
    try:
        listed = [entry.name for entry in load().plugins if entry.enabled]
    except ClawdBotError as error:
        click.echo(f"clawdbot: plugins are not asked for commands: {error}", err=True)
        return None
    loader = Loader()
    # A backend is in no plugin list: `clawdbot vllm` is asked of the distribution called vllm.
    for plugin in dict.fromkeys([*listed, name]):
        if not loader.knows(plugin):
            continue
        try:
            loaded = loader.load(plugin)
            if "register_cli" in loaded.hooks:
                guarded(loaded, "register_cli", group=group)
        except ClawdBotError as error:
            click.echo(f"clawdbot: {error}", err=True)
    return group.commands.get(name)
