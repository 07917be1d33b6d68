"""Tasks that plugins begin and leave behind: counted by the file that their code stands in."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import PluginError
from ..hooks.loaded import Loaded
from .failures import Failures

log = logging.getLogger(__name__)

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


def theirs(
    tasks: Iterable[asyncio.Task[Any]], homes: Mapping[str, str]
) -> dict[str, list[asyncio.Task[Any]]]:
    """Which of ``tasks`` run code of which plugin; ``homes`` is by plugin."""
    found: dict[str, list[asyncio.Task[Any]]] = {}
    known: dict[str, str] = {}
    for task in tasks:
        code = getattr(task.get_coro(), "cr_code", None)
        if code is None:
            continue
        file = code.co_filename
        if file not in known:
            known[file] = next((n for n, home in homes.items() if home and _in(file, home)), "")
        if known[file]:
            found.setdefault(known[file], []).append(task)
    return found


def _in(file: str, home: str) -> bool:
    return file.startswith(home) if home.endswith("/") else file == home


class Strays:
    """Looks from time to time, and counts a failure of each plugin that has too many.

    One that rests for it gets nothing to do; its tasks are cancelled at the next look.
    """

    def __init__(self, plugins: Iterable[Loaded], failures: Failures) -> None:
        self._homes = {plugin.name: home_of(plugin.target) for plugin in plugins}
        self._failures = failures

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """Look once. What a plugin left behind that rests for it is ended."""
        for plugin, tasks in theirs(asyncio.all_tasks(), self._homes).items():
            if len(tasks) <= MOST:
                continue
            if not self._failures.rest(plugin):
                self._failures.count(plugin, too_many(plugin, len(tasks)))
                continue
            log.warning("%d tasks that plugin %s left behind are cancelled", len(tasks), plugin)
            for task in tasks:
                task.cancel()


def too_many(plugin: str, count: int) -> PluginError:
    """What a plugin with ``count`` tasks is told."""
    return PluginError(
        f"plugin {plugin!r} has {count} tasks under way.",
        plugin=plugin,
        fix=f"End what it begins; more than {MOST} are taken for left behind.",
    )
