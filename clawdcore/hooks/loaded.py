"""What a loaded plugin is, and the tables of all that plugins registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .command import Command
from .context import Context
from .hookspecs import PROJECT
from .needs import NOTHING, Needs
from .registration import ButtonEntry, Handler, ReaderEntry


class Loaded(msgspec.Struct):
    """A plugin that passed every check, its implementations by hook, and what those name.

    ``needs`` is what it declared with its present options.
    """

    name: str
    target: object
    hooks: dict[str, Callable[..., Any]]
    arguments: dict[str, frozenset[str]]
    context: Context | None = None
    needs: Needs = NOTHING

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call its implementation with those of ``arguments`` that it names."""
        names = self.arguments[hook]
        return self.hooks[hook](**{k: value for k, value in arguments.items() if k in names})

    def rank(self, hook: str) -> int:
        """-1 for an implementation marked ``tryfirst``, 1 for ``trylast``, else 0."""
        mark: dict[str, Any] = getattr(self.hooks[hook], f"{PROJECT}_impl")
        return -1 if mark["tryfirst"] else 1 if mark["trylast"] else 0


class Tables(msgspec.Struct):
    """All that was registered, ready to be looked up while messages run.

    ``buttons`` are by :attr:`ButtonEntry.key`.
    """

    commands: dict[str, Command] = {}
    handlers: list[Handler] = []
    buttons: dict[str, ButtonEntry] = {}
    readers: list[ReaderEntry] = []
    plugins: list[Loaded] = []
    disabled: dict[str, Exception] = {}

    def disable(self, name: str, error: Exception) -> None:
        """Take out everything of one plugin, and remember why."""
        self.commands = {w: c for w, c in self.commands.items() if c.plugin != name}
        self.handlers = [h for h in self.handlers if h.plugin != name]
        self.buttons = {k: b for k, b in self.buttons.items() if b.plugin != name}
        self.readers = [r for r in self.readers if r.plugin != name]
        self.plugins = [p for p in self.plugins if p.name != name]
        self.disabled[name] = error

    def implementing(self, hook: str) -> list[Loaded]:
        """The plugins with ``hook``: list order, tryfirst before, trylast after."""
        return sorted(
            (plugin for plugin in self.plugins if hook in plugin.hooks),
            key=lambda plugin: plugin.rank(hook),
        )
