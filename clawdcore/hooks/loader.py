"""Find the listed plugins, check them, and put what they register into tables.

A plugin is an entry point of the group ``clawdbot``: a module, or a class that
is called without arguments. pluggy checks the hooks against the specs; what a
broken plugin registered is dropped as a whole, and the bot goes on without it.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import pluggy

from ..backend import Backend
from ..config import ProviderConfig
from ..errors import ClawdBotError, HookError, PluginClash, PluginError
from . import hookspecs
from .checks import implementations
from .compatible import check
from .context import Context
from .errors import (
    RESERVED_COMMANDS,
    RESERVED_PLUGINS,
    not_installed,
    reserved_command,
    reserved_plugin,
    two_distributions,
)
from .foreign import foreign, guarded
from .hookspecs import PROJECT
from .loaded import Loaded, Tables
from .needs import NOTHING, Needs, checked
from .options import validated
from .registration import BackendFactory, Registry

log = logging.getLogger(__name__)


class Listed(Protocol):
    """One entry of the configuration's plugin list."""

    @property
    def name(self) -> str: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def enabled(self) -> bool: ...


def installed(points: Iterable[EntryPoint] | None = None) -> dict[str, list[EntryPoint]]:
    """Entry points of our group by name; more than one of a name is a clash."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=PROJECT) if points is None else points:
        same = found.setdefault(point.name, [])
        if all((p.value, _distribution(p)) != (point.value, _distribution(point)) for p in same):
            same.append(point)
    return found


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


class Loader:
    """Loads plugins for one app. ``find`` maps a name to its entry points."""

    def __init__(self, points: dict[str, list[EntryPoint]] | None = None) -> None:
        self._points = installed() if points is None else points
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._loaded: dict[str, Loaded] = {}

    def knows(self, name: str) -> bool:
        """Whether a distribution provides a plugin of that name."""
        return name in self._points

    def require(self, names: Iterable[str]) -> None:
        """Check that each name has exactly one distribution.

        Raises:
            PluginNotInstalled, PluginClash: what ``clawdbot run`` stops with; the
                first names all that are missing, with one line to install ours.
        """
        wanted = list(dict.fromkeys(names))
        present = [name for name in wanted if name in RESERVED_PLUGINS or self.knows(name)]
        missing = [name for name in wanted if name not in present]
        if missing:
            raise not_installed(missing, sorted(self._points))
        for name in present:
            self._point(name)

    def _point(self, name: str) -> EntryPoint:
        if name in RESERVED_PLUGINS:
            raise reserved_plugin(name)
        points = self._points.get(name, [])
        if not points:
            raise not_installed([name], sorted(self._points))
        if len(points) > 1:
            raise two_distributions(name, [_distribution(point) for point in points])
        return points[0]

    def load(self, name: str, target: object | None = None) -> Loaded:
        """Import, check and register one plugin; the same one when it is asked for again.

        ``target`` stands in for the entry point's object where it is given.

        Raises:
            PluginError: with the reason; nothing of the plugin stays registered.
        """
        if name in self._loaded:
            return self._loaded[name]
        if name in RESERVED_PLUGINS:
            raise reserved_plugin(name)
        if target is None:
            point = self._point(name)
            check(name, point)
            with foreign(
                PluginError,
                name,
                f"plugin {name!r} can't be imported",
                fix=f"Reinstall {_distribution(point)}, or take it off the plugin list.",
            ):
                target = point.load()
        if inspect.isclass(target):
            with foreign(
                PluginError,
                name,
                f"plugin {name!r} can't be created",
                fix="Its class must be callable without arguments.",
            ):
                target = target()
        hooks = implementations(name, target)
        try:
            self._manager.register(target, name=name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            self._drop(name)
            raise HookError(
                f"plugin {name!r}: {str(error).splitlines()[-1].strip().rstrip('.')}.",
                plugin=name,
                fix="Compare it with the hook contract in docs/hooks.md.",
            ) from error
        arguments = {
            hook: frozenset(inspect.signature(function).parameters)
            for hook, function in hooks.items()
        }
        self._loaded[name] = Loaded(name, target, hooks, arguments)
        return self._loaded[name]

    def _drop(self, name: str) -> None:
        self._loaded.pop(name, None)
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def backends(self, loaded: Sequence[Loaded]) -> dict[str, BackendFactory]:
        """The backend factories of ``loaded`` by name.

        Whatever a factory raises when it is called comes as a PluginError.

        Raises:
            PluginClash: two plugins register one backend name.
        """
        result: dict[str, BackendFactory] = {}
        owner: dict[str, str] = {}
        for plugin in loaded:
            if "register_backends" not in plugin.hooks:
                continue
            registry = Registry(plugin.name)
            guarded(plugin, "register_backends", register=registry.backend)
            for name, factory in registry.backends.items():
                if name in result:
                    raise PluginClash(
                        f"plugins {owner[name]!r} and {plugin.name!r} both register "
                        f"the backend {name!r}.",
                        plugin=plugin.name,
                        fix="Take one of them off the plugin list.",
                    )
                result[name] = _safe(plugin.name, name, factory)
                owner[name] = plugin.name
        return result

    def tables(
        self,
        listed: Sequence[Listed],
        context: Callable[[str, Any], Context],
        targets: dict[str, object] | None = None,
    ) -> Tables:
        """Load every enabled plugin of ``listed`` and fill the tables.

        A plugin that can't be loaded is left out, and its error is in
        ``Tables.disabled``; the others are not touched by it. ``context(name,
        options)`` makes each plugin's context.
        """
        tables = Tables()
        loaded: dict[str, tuple[Loaded, Any]] = {}
        for entry in listed:
            if not entry.enabled:
                continue
            try:
                plugin = self.load(entry.name, (targets or {}).get(entry.name))
                options = validated(plugin, entry.options)
                plugin.needs = declared(plugin, options)
                loaded[entry.name] = (plugin, options)
            except ClawdBotError as error:
                self._disable(tables, entry.name, error)
        for plugin, options in loaded.values():
            plugin.context = context(plugin.name, options)
            try:
                registry = _register(plugin)
                _check_commands(tables, registry)
            except ClawdBotError as error:
                self._disable(tables, plugin.name, error)
                continue
            for command in registry.commands:
                for word in (command.name, *command.aliases):
                    tables.commands[word] = command
            tables.handlers.extend(registry.handlers)
            tables.buttons.update((button.key, button) for button in registry.buttons.values())
            tables.readers.extend(registry.readers)
            tables.plugins.append(plugin)
        rank = {plugin.name: plugin for plugin in tables.plugins}
        tables.handlers.sort(key=lambda h: rank[h.plugin].rank("register_handlers"))
        tables.readers.sort(key=lambda r: rank[r.plugin].rank("register_readers"))
        return tables

    def needs(self, name: str) -> Needs:
        """What the plugin has declared; nothing for one that is not loaded."""
        plugin = self._loaded.get(name)
        return NOTHING if plugin is None else plugin.needs

    def _disable(self, tables: Tables, name: str, error: ClawdBotError) -> None:
        self._drop(name)
        tables.disabled[name] = error
        log.error("plugin %s is disabled: %s", name, error)


def declared(plugin: Loaded, options: Any) -> Needs:
    """What ``plugin`` says that it needs with ``options``.

    Raises:
        PluginError: its hook failed, or what it said is wrong.
    """
    if "needs" not in plugin.hooks:
        return NOTHING
    return checked(plugin.name, guarded(plugin, "needs", options=options))


def _safe(plugin: str, name: str, factory: BackendFactory) -> BackendFactory:
    def make(provider: ProviderConfig) -> Backend:
        with foreign(
            PluginError,
            plugin,
            f"plugin {plugin!r}: the backend {name!r} can't be made",
            fix=f"Check models.providers.{provider.name}.",
        ):
            return factory(provider)

    return make


def _register(plugin: Loaded) -> Registry:
    registry = Registry(plugin.name)
    for hook, register in (
        ("register_commands", registry.command),
        ("register_handlers", registry.handler),
        ("register_buttons", registry.button),
        ("register_readers", registry.reader),
    ):
        if hook in plugin.hooks:
            guarded(plugin, hook, register=register, context=plugin.context)
    return registry


def _check_commands(tables: Tables, registry: Registry) -> None:
    taken = dict(tables.commands)
    for command in registry.commands:
        for word in (command.name, *command.aliases):
            if word in RESERVED_COMMANDS:
                raise reserved_command(command.plugin, word)
            if word in taken:
                raise PluginClash(
                    f"plugin {command.plugin!r}: the command /{word} is already "
                    f"plugin {taken[word].plugin!r}'s.",
                    plugin=command.plugin,
                    fix="Take one of the two off the plugin list.",
                )
            taken[word] = command
