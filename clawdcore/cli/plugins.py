"""``clawdbot plugins``: what is installed, what is on, and how to change that."""

from __future__ import annotations

import logging
from pathlib import Path

import click

CONFIG = click.option(
    "-c", "--config", "path", type=click.Path(path_type=Path), help="As for `run`."
)


@click.group("plugins")
def command() -> None:
    """Show plugins, switch them on and off, install and remove them."""
    # What can't be loaded stands in the list itself.
    logging.getLogger("clawdcore").addHandler(logging.NullHandler())


@command.command("list")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def listing(path: Path | None, as_json: bool) -> None:
    """Print every plugin that is installed or listed, and what it adds.

    Where a bot runs with this configuration, also what each has cost it so far.
    """
    import msgspec

    from ..config import load
    from .plugins_look import look

    found, why = look(load(path))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    width = max((len(each.name) for each in found), default=0)
    for each in found:
        commands = " ".join(f"/{name}" for name in each.commands)
        what = each.error or commands or ", ".join(each.hooks) or "adds nothing"
        used = f"  ({each.used})" if each.used else ""
        state = "on " if each.on else "off"
        click.echo(f"{state}  {each.name:{width}}  {each.version:8}  {what}{used}")
    if why and found:
        click.echo(f"What each has cost is not known: {why}")
    if not found:
        click.echo("No plugin is installed. One of ours: clawdbot plugins install translate")


@command.command("info")
@CONFIG
@click.argument("name")
def info(path: Path | None, name: str) -> None:
    """Print what a plugin is, adds, needs, and which options it takes."""
    from ..config import load
    from .plugins_look import described

    for line in described(load(path), name):
        click.echo(line)


@command.command("enable")
@CONFIG
@click.argument("name")
def enable(path: Path | None, name: str) -> None:
    """Put an installed plugin on the list in clawdbot.json, or switch it on there.

    Comments and order stay. A running bot takes it up by itself. What the plugin declares
    to need is shown.
    """
    from ..config import load
    from ..config.edit import enabled
    from ..hooks.loader import Loader
    from .plugins_edit import changed
    from .plugins_look import needed

    Loader().require([name])
    click.echo(changed(path, name, enabled, on=True))
    for line in needed(load(path), name):
        click.echo(f"  {line}")


@command.command("disable")
@CONFIG
@click.argument("name")
def disable(path: Path | None, name: str) -> None:
    """Switch a plugin off in clawdbot.json; its place and its options stay."""
    from ..config.edit import disabled
    from .plugins_edit import changed

    click.echo(changed(path, name, disabled, on=False))


@command.command("install")
@click.argument("specs", nargs=-1, required=True, metavar="NAME…")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
def install(specs: tuple[str, ...], yes: bool) -> None:
    """Install plugins with uv or pip, into the Python that runs this.

    One of ours by its short name (`translate`); others as pip takes them: a name with or
    without a version, a folder, a wheel. The command is shown before it runs; after it, what
    the new plugins declare to need.
    """
    from ..config import Config
    from ..hooks.loader import installed
    from .plugins_look import needed
    from .plugins_pip import distribution, installer, run

    before = set(installed())
    run([*installer(), "install", *map(distribution, specs)], yes=yes)
    for name in sorted(set(installed()) - before):
        click.echo(f"{name} is installed, and off. To switch it on: clawdbot plugins enable {name}")
        for line in needed(Config(), name):
            click.echo(f"  {line}")


@command.command("remove")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
def remove(name: str, yes: bool) -> None:
    """Uninstall the distribution of a plugin. Switch it off first if it is on."""
    from .plugins_pip import installed_as, installer, run

    ask = [] if "uv" in Path(installer()[0]).name else ["--yes"]
    run([*installer(), "uninstall", *ask, installed_as(name)], yes=yes)


@command.command("check")
@CONFIG
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def check(path: Path | None, name: str, as_json: bool) -> None:
    """Try whether an installed plugin does what every plugin must.

    It runs alone, without any service or network, in a process of its own. With a
    configuration that lists it, it gets its options from there.
    """
    import asyncio
    import sys

    import msgspec

    from .plugins_check import Checked, checked

    async def run() -> list[Checked]:
        outcomes = []
        async for outcome in checked(path, name):
            outcomes.append(outcome)
            if not as_json:
                why = f": {outcome.why}" if outcome.why else ""
                click.echo(f"{outcome.result:7}  {outcome.what}{why}")
        return outcomes

    outcomes = asyncio.run(run())
    failed = sum(outcome.result == "failed" for outcome in outcomes)
    if as_json:
        shown = {"plugin": name, "ok": not failed, "checks": outcomes}
        click.echo(msgspec.json.format(msgspec.json.encode(shown)))
    elif failed:
        click.echo(f"{name}: {failed} of {len(outcomes)} checks failed", err=True)
    sys.exit(1 if failed else 0)
