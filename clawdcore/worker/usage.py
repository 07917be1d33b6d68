"""What each plugin has cost so far: its calls, their seconds, its failures by kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from ..errors import PluginError
from ..vitals import PluginUse


class Usage:
    """Counts since the worker began. ``clock`` is in seconds; call it from the loop only."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._failures: dict[str, dict[str, int]] = {}

    @contextmanager
    def call(self, plugin: str) -> Iterator[None]:
        """One call of a function of ``plugin`` is the body, whatever becomes of it."""
        began = self._clock()
        try:
            yield
        finally:
            self._calls[plugin] = self._calls.get(plugin, 0) + 1
            self._seconds[plugin] = self._seconds.get(plugin, 0.0) + self._clock() - began

    def failed(self, plugin: str, error: BaseException) -> None:
        """One failure of ``plugin``."""
        kinds = self._failures.setdefault(plugin, {})
        kind = kind_of(error)
        kinds[kind] = kinds.get(kind, 0) + 1

    def look(self, plugins: Iterable[str], resting: Mapping[str, float]) -> tuple[PluginUse, ...]:
        """What each of ``plugins`` has cost; ``resting`` gives the seconds of their rests."""
        return tuple(
            PluginUse(
                name=name,
                calls=self._calls.get(name, 0),
                seconds=round(self._seconds.get(name, 0.0), 3),
                failures=dict(self._failures.get(name, {})),
                rest=resting.get(name, 0.0),
            )
            for name in plugins
        )


def kind_of(error: BaseException) -> str:
    """``timeout``; ``contract`` for what breaks the contract with the core; else ``error``.

    What its time limit ended is cancelled, and counts as a timeout.
    """
    if isinstance(error, TimeoutError | asyncio.CancelledError):
        return "timeout"
    return "contract" if isinstance(error, PluginError) else "error"
