"""Tasks that plugins begin and leave behind: counted by the file that their code stands in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import PluginError
from ..hooks.loaded import Loaded
from .failures import Failures

EVERY: Final = 10.0
"""Seconds between two looks."""
MOST: Final = 250
"""Tasks of one plugin that are no stray yet: a message may take some, and so may a server."""


def home_of(target: object) -> str:
    """Where a plugin's code stands: its package's folder, or its module's file; "" if unknown."""
    name = getattr(target, "__name__", "") or type(target).__module__
    module = sys.modules.get(name) or sys.modules.get(type(target).__module__)
    file = getattr(module, "__file__", None) or ""
    return str(Path(file).parent) + "/" if Path(file).name == "__init__.py" else file


def counted(tasks: Iterable[asyncio.Task[Any]], homes: Mapping[str, str]) -> dict[str, int]:
    """How many of ``tasks`` run code of which plugin; ``homes`` is by plugin."""
    found: dict[str, int] = {}
    known: dict[str, str] = {}
    for task in tasks:
        code = getattr(task.get_coro(), "cr_code", None)
        if code is None:
            continue
        file = code.co_filename
        if file not in known:
            known[file] = next((n for n, home in homes.items() if home and _in(file, home)), "")
        if known[file]:
            found[known[file]] = found.get(known[file], 0) + 1
    return found


def _in(file: str, home: str) -> bool:
    return file.startswith(home) if home.endswith("/") else file == home


class Strays:
    """Looks from time to time, and counts a failure of each plugin that has too many."""

    def __init__(self, plugins: Iterable[Loaded], failures: Failures) -> None:
        self._homes = {plugin.name: home_of(plugin.target) for plugin in plugins}
        self._failures = failures

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """Look once."""
        for plugin, count in counted(asyncio.all_tasks(), self._homes).items():
            if count > MOST and not self._failures.rest(plugin):
                self._failures.count(plugin, too_many(plugin, count))


def too_many(plugin: str, count: int) -> PluginError:
    """What a plugin with ``count`` tasks is told."""
    return PluginError(
        f"plugin {plugin!r} has {count} tasks under way.",
        plugin=plugin,
        fix=f"End what it begins; more than {MOST} are taken for left behind.",
    )
