"""When a plugin has failed too often in a row, it rests; pure, time is a parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

FAILURES: Final = 5
"""Failures in a row, without one success between, that send a plugin to rest."""
FIRST_REST: Final = 60.0
LONGEST_REST: Final = 600.0
"""Seconds; each further rest doubles, up to this."""


class _State(msgspec.Struct):
    failures: int = 0
    rests: int = 0
    until: float = 0.0


class Quarantine:
    """Counts plugins' failures and says who rests. All times are in seconds.

    ``failures`` in a row, without one success between, begin a rest; ``by_plugin`` says
    for some how many. The first rest is ``first`` long, and none is longer than ``longest``.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        by_plugin: Mapping[str, int] | None = None,
        first: float = FIRST_REST,
        longest: float = LONGEST_REST,
    ) -> None:
        self._first = first
        self._longest = longest
        self._failures = failures
        self._by_plugin = by_plugin or {}
        self._states: dict[str, _State] = {}

    def failed(self, plugin: str, now: float) -> float:
        """Count a failure; returns the seconds of rest that begin now, or 0."""
        state = self._states.setdefault(plugin, _State())
        state.failures += 1
        if state.failures < self._by_plugin.get(plugin, self._failures) and not state.rests:
            return 0.0
        rest = min(self._first * 2.0 ** min(state.rests, 32), self._longest)
        state.rests += 1
        state.failures = 0
        state.until = now + rest
        return rest

    def put_to_rest(self, plugin: str, seconds: float, now: float) -> None:
        """Let a plugin rest for what others saw it do."""
        state = self._states.setdefault(plugin, _State())
        state.rests += 1
        state.until = max(state.until, now + seconds)

    def resting(self, now: float) -> tuple[tuple[str, float], ...]:
        """Who rests, and for how many seconds still."""
        states = self._states.items()
        return tuple((name, state.until - now) for name, state in states if state.until > now)

    def succeeded(self, plugin: str) -> bool:
        """Forget what was; returns whether the plugin had been at rest."""
        state = self._states.pop(plugin, None)
        return state is not None and state.rests > 0

    def rest(self, plugin: str, now: float) -> float:
        """Seconds that the plugin still rests, 0 when it may work."""
        state = self._states.get(plugin)
        return max(0.0, state.until - now) if state is not None else 0.0
