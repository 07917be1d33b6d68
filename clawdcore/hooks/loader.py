"""Find the listed plugins, check them, and put what they register into tables.

A plugin is an entry point of the group ``clawdbot``: a module, or a class that
is called without arguments. pluggy checks the hooks against the specs; what a
broken plugin registered is dropped as a whole, and the bot goes on without it.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Protocol

import msgspec
import pluggy
from pydantic import BaseModel, ValidationError

from ..errors import ClawdBotError, HookError, PluginClash, PluginError
from . import hookspecs
from .command import Command
from .context import Context
from .errors import bad_registration, not_installed, two_distributions
from .hookspecs import PROJECT
from .registration import BackendFactory, Handler, ReaderEntry, Registry

log = logging.getLogger(__name__)

SYNC_ONLY: Final = frozenset(
    {
        "register_commands",
        "register_handlers",
        "register_readers",
        "register_backends",
        "register_cli",
        "options_model",
    }
)
HOOKS: Final = frozenset(
    name for name, value in vars(hookspecs).items() if hasattr(value, f"{PROJECT}_spec")
)


class Listed(Protocol):
    """One entry of the configuration's plugin list."""

    @property
    def name(self) -> str: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def enabled(self) -> bool: ...


class Loaded(msgspec.Struct):
    """A plugin that passed every check, and its implementations by hook."""

    name: str
    target: object
    hooks: dict[str, Callable[..., Any]]
    context: Context | None = None

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call its implementation with those of ``arguments`` that it names."""
        function = self.hooks[hook]
        names = inspect.signature(function).parameters
        return function(**{key: value for key, value in arguments.items() if key in names})

    def rank(self, hook: str) -> int:
        """-1 for an implementation marked ``tryfirst``, 1 for ``trylast``, else 0."""
        mark: dict[str, Any] = getattr(self.hooks[hook], f"{PROJECT}_impl")
        return -1 if mark["tryfirst"] else 1 if mark["trylast"] else 0


class Tables(msgspec.Struct):
    """All that was registered, ready to be looked up while messages run."""

    commands: dict[str, Command] = {}
    handlers: list[Handler] = []
    readers: list[ReaderEntry] = []
    plugins: list[Loaded] = []
    disabled: dict[str, Exception] = {}

    def disable(self, name: str, error: Exception) -> None:
        """Take out everything of one plugin, and remember why."""
        self.commands = {w: c for w, c in self.commands.items() if c.plugin != name}
        self.handlers = [h for h in self.handlers if h.plugin != name]
        self.readers = [r for r in self.readers if r.plugin != name]
        self.plugins = [p for p in self.plugins if p.name != name]
        self.disabled[name] = error

    def implementing(self, hook: str) -> list[Loaded]:
        """The plugins with ``hook``: list order, tryfirst before, trylast after."""
        return sorted(
            (plugin for plugin in self.plugins if hook in plugin.hooks),
            key=lambda plugin: plugin.rank(hook),
        )


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
            PluginNotInstalled, PluginClash: what ``clawdbot run`` stops with.
        """
        for name in names:
            self._point(name)

    def _point(self, name: str) -> EntryPoint:
        points = self._points.get(name, [])
        if not points:
            raise not_installed(name, sorted(self._points))
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
        if target is None:
            point = self._point(name)
            try:
                target = point.load()
            except Exception as error:
                raise PluginError(
                    f"plugin {name!r} can't be imported: {_brief(error)}.",
                    plugin=name,
                    fix=f"Reinstall {_distribution(point)}, or take it off the plugin list.",
                ) from error
        if inspect.isclass(target):
            try:
                target = target()
            except Exception as error:
                raise PluginError(
                    f"plugin {name!r} can't be created: {_brief(error)}.",
                    plugin=name,
                    fix="Its class must be callable without arguments.",
                ) from error
        hooks = _implementations(name, target)
        try:
            self._manager.register(target, name=name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            self._drop(name)
            raise HookError(
                f"plugin {name!r}: {str(error).splitlines()[-1].strip()}",
                plugin=name,
                fix="Compare it with the hook contract in docs/hooks.md.",
            ) from error
        self._loaded[name] = Loaded(name, target, hooks)
        return self._loaded[name]

    def _drop(self, name: str) -> None:
        self._loaded.pop(name, None)
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def backends(self, loaded: Sequence[Loaded]) -> dict[str, BackendFactory]:
        """The backend factories of ``loaded`` by name.

        Raises:
            PluginClash: two plugins register one backend name.
        """
        result: dict[str, BackendFactory] = {}
        owner: dict[str, str] = {}
        for plugin in loaded:
            if "register_backends" not in plugin.hooks:
                continue
            registry = Registry(plugin.name)
            _guarded(plugin, "register_backends", register=registry.backend)
            for name, factory in registry.backends.items():
                if name in result:
                    raise PluginClash(
                        f"plugins {owner[name]!r} and {plugin.name!r} both register "
                        f"the backend {name!r}.",
                        plugin=plugin.name,
                        fix="Take one of them off the plugin list.",
                    )
                result[name] = factory
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
                loaded[entry.name] = (plugin, _options(plugin, entry.options))
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
            tables.readers.extend(registry.readers)
            tables.plugins.append(plugin)
        rank = {plugin.name: plugin for plugin in tables.plugins}
        tables.handlers.sort(key=lambda h: rank[h.plugin].rank("register_handlers"))
        tables.readers.sort(key=lambda r: rank[r.plugin].rank("register_readers"))
        return tables

    def _disable(self, tables: Tables, name: str, error: ClawdBotError) -> None:
        self._drop(name)
        tables.disabled[name] = error
        log.error("plugin %s is disabled: %s", name, error)


def _implementations(name: str, target: object) -> dict[str, Callable[..., Any]]:
    hooks: dict[str, Callable[..., Any]] = {}
    for attribute in dir(target):
        try:
            function = getattr(target, attribute)
        except Exception:  # noqa: BLE001 - a plugin's property may raise anything
            log.debug("plugin %s: attribute %s can't be read", name, attribute)
            continue
        mark = getattr(function, f"{PROJECT}_impl", None) if callable(function) else None
        if not isinstance(mark, dict):
            continue
        hook = mark.get("specname") or attribute
        if hook not in HOOKS:
            near = get_close_matches(hook, HOOKS, n=1, cutoff=0.5)
            raise HookError(
                f"plugin {name!r} has the hook {hook!r}, which does not exist.",
                plugin=name,
                fix=f"Did you mean {near[0]!r}?" if near else f"Hooks: {', '.join(sorted(HOOKS))}.",
            )
        if mark.get("wrapper") or mark.get("hookwrapper"):
            raise bad_registration(
                name,
                f"{hook} is a hook wrapper, which can't surround awaited results.",
                fix="Use prepare_reply, or tryfirst/trylast.",
            )
        if hook in SYNC_ONLY and inspect.iscoroutinefunction(function):
            raise bad_registration(
                name, f"{hook} is async, but runs at load.", fix="Write def, not async def."
            )
        hooks[hook] = function
    if not hooks:
        raise HookError(
            f"plugin {name!r} implements no hook.",
            plugin=name,
            fix="Decorate its functions with clawdcore.hookimpl.",
        )
    return hooks


def _guarded(plugin: Loaded, hook: str, **arguments: Any) -> Any:
    try:
        return plugin.call(hook, **arguments)
    except ClawdBotError:
        raise
    except Exception as error:
        raise bad_registration(plugin.name, f"{hook} failed: {_brief(error)}.") from error


def _options(plugin: Loaded, given: dict[str, Any]) -> Any:
    if "options_model" not in plugin.hooks:
        if given:
            raise bad_registration(
                plugin.name,
                f"it takes no options, but was given {', '.join(sorted(given))}.",
                fix="Remove its options from the plugin list.",
            )
        return None
    model = _guarded(plugin, "options_model")
    if model is None:
        return None
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        raise bad_registration(plugin.name, "options_model must return a pydantic model class.")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        known = [field.alias or name for name, field in model.model_fields.items()]
        lines = []
        for problem in error.errors(include_input=False, include_url=False):
            path = ".".join(str(part) for part in problem["loc"])
            near = get_close_matches(str(problem["loc"][-1]), known, n=1) if problem["loc"] else []
            hint = f" (did you mean {near[0]!r}?)" if near and near[0] != path else ""
            lines.append(f"options.{path}: {problem['msg']}{hint}")
        raise bad_registration(
            plugin.name, "; ".join(lines) + ".", fix=f"Options: {', '.join(known) or 'none'}."
        ) from error


def _register(plugin: Loaded) -> Registry:
    registry = Registry(plugin.name)
    for hook, register in (
        ("register_commands", registry.command),
        ("register_handlers", registry.handler),
        ("register_readers", registry.reader),
    ):
        if hook in plugin.hooks:
            _guarded(plugin, hook, register=register, context=plugin.context)
    return registry


def _check_commands(tables: Tables, registry: Registry) -> None:
    taken = dict(tables.commands)
    for command in registry.commands:
        for word in (command.name, *command.aliases):
            if word in taken:
                raise PluginClash(
                    f"plugin {command.plugin!r}: the command /{word} is already "
                    f"plugin {taken[word].plugin!r}'s.",
                    plugin=command.plugin,
                    fix="Take one of the two off the plugin list.",
                )
            taken[word] = command


def _brief(error: BaseException) -> str:
    """An error's type and message in one line; load time has no user content."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
