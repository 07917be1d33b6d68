"""What plugins there are, and what each adds and needs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from typing import Any

import msgspec
from pydantic import BaseModel

from ..config import Config, PluginConfig
from ..errors import ClawdBotError
from ..hooks.errors import not_installed
from ..hooks.foreign import guarded
from ..hooks.loaded import Loaded, Tables
from ..hooks.loader import Loader, installed
from ..privacy import describe
from ..vitals import PluginUse
from .checks.plugins import load_all


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin.

    ``on`` is whether the configuration switches it on, ``error`` why it can't be used, ""
    where it can. ``use`` is what it has cost in the bot that runs, None where none does.
    """

    name: str
    distribution: str = ""
    version: str = ""
    on: bool = False
    hooks: list[str] = []
    commands: list[str] = []
    error: str = ""
    use: PluginUse | None = None

    @property
    def used(self) -> str:
        """What it has cost, in words; "" where that is not known."""
        if self.use is None:
            return ""
        failures = sum(self.use.failures.values())
        words = f"calls: {self.use.calls}, seconds: {self.use.seconds:.1f}, failures: {failures}"
        return f"{words}, rests for {self.use.rest:.0f} s" if self.use.rest else words


def running(config: Config) -> tuple[dict[str, PluginUse], str]:
    """What the plugins of the bot that runs with ``config`` have cost, or why nobody says."""
    from .monitor_ask import NoLook, client_for, look_at, place_of

    async def ask() -> dict[str, PluginUse]:
        place = place_of(config, None, None)
        async with client_for(place) as client:
            return {each.name: each for each in (await look_at(client, place)).plugins}

    try:
        return asyncio.run(ask()), ""
    except NoLook as error:
        return {}, error.what


def look(config: Config) -> tuple[list[Plugin], str]:
    """Those on the list, in its order, then the others that are installed.

    With them, why nothing is known of what they have cost, or "".
    """
    uses, why = running(config)
    found = _look(config)
    return [msgspec.structs.replace(each, use=uses.get(each.name)) for each in found], why


def _look(config: Config) -> list[Plugin]:
    points = installed()
    listed = {entry.name: entry.enabled for entry in config.plugins}
    tables = load_all(config).tables
    return [
        _plugin(name, points.get(name, []), tables, on=listed.get(name, False))
        for name in dict.fromkeys([*listed, *sorted(points)])
    ]


def _plugin(name: str, points: list[EntryPoint], tables: Tables, *, on: bool) -> Plugin:
    dist = points[0].dist if points else None
    loaded, error = _loaded(name, tables)
    commands = {c.name for c in tables.commands.values() if c.plugin == name}
    return Plugin(
        name=name,
        distribution=dist.name if dist is not None else "",
        version=dist.version if dist is not None else "",
        on=on,
        hooks=sorted(loaded.hooks) if loaded is not None else [],
        commands=sorted(commands),
        error=error,
    )


def _loaded(name: str, tables: Tables) -> tuple[Loaded | None, str]:
    """The plugin, or why it can't be used."""
    if name in tables.disabled:
        error = tables.disabled[name]
        return None, str(error) if isinstance(error, ClawdBotError) else describe(error)
    for plugin in tables.plugins:
        if plugin.name == name:
            return plugin, ""
    try:
        return Loader().load(name), ""
    except ClawdBotError as error:
        return None, str(error)


def described(config: Config, name: str) -> Iterator[str]:
    """What ``clawdbot plugins info`` prints of one plugin, line by line.

    Raises:
        PluginNotInstalled: there is none of that name.
    """
    points = installed()
    if name not in points:
        raise not_installed([name], sorted(points))
    entry = next((each for each in config.plugins if each.name == name), None)
    alone = config.model_copy(
        update={"plugins": [PluginConfig(name=name, options=entry.options if entry else {})]}
    )
    tables = load_all(alone).tables
    plugin = _plugin(name, points[name], tables, on=entry is not None and entry.enabled)
    dist = points[name][0].dist
    yield f"{name} {plugin.version}: {_summary(dist)}"
    yield f"switched {'on' if plugin.on else 'off'}; distribution {plugin.distribution}"
    if plugin.error:
        yield f"it can't be used: {plugin.error}"
    uses, why = running(config)
    used = msgspec.structs.replace(plugin, use=uses.get(name)).used
    yield f"in the bot that runs: {used or why or 'not loaded'}"
    loaded, _ = _loaded(name, tables)
    if loaded is None:
        return
    yield f"hooks: {', '.join(plugin.hooks)}"
    for command in sorted({c.name for c in tables.commands.values()}):
        yield f"  /{command}: {tables.commands[command].summary}"
    yield from _needed(loaded)
    yield from _options(loaded)


def needed(config: Config, name: str) -> Iterator[str]:
    """What the plugin declares to need, with its options in ``config``, line by line.

    One that can't be used says why.
    """
    entry = next((each for each in config.plugins if each.name == name), PluginConfig(name=name))
    alone = config.model_copy(update={"plugins": [PluginConfig(name=name, options=entry.options)]})
    loaded, error = _loaded(name, load_all(alone).tables)
    if loaded is None:
        yield f"it can't be used: {error}"
    else:
        yield from _needed(loaded)


def _needed(plugin: Loaded) -> Iterator[str]:
    needs = plugin.needs
    yield f"reaches: {', '.join(needs.hosts) or 'no host through context.http'}"
    yield f"keeps: {needs.keeps or 'nothing that it declares'}"
    yield f"chats: {needs.chats}"


def _summary(dist: Distribution | None) -> str:
    if dist is None or "Summary" not in dist.metadata:
        return "no summary"
    return str(dist.metadata["Summary"])


def _options(plugin: Loaded) -> Iterator[str]:
    model = guarded(plugin, "options_model") if "options_model" in plugin.hooks else None
    if model is None:
        yield "options: none"
        return
    yield "options:"
    yield from _fields(model, "")


def _fields(model: type[BaseModel], before: str) -> Iterator[str]:
    for field_name, field in model.model_fields.items():
        name = before + (field.alias or field_name)
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, f"{name}.")
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "needed" if field.is_required() else f"default {default!r}"
        yield f"  {name} ({shown}): {field.description or 'no description'}"
