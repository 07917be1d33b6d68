"""What plugins' failures lead to: a line in the log, and at last a rest."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..errors import PluginError
from ..hooks.quarantine import Quarantine
from ..privacy import describe
from .usage import Usage

log = logging.getLogger(__name__)


class Failures:
    """Counts them; ``rested`` is told the plugin and the seconds of its rest.

    ``failed`` is told the plugin and each error. ``usage`` knows what each plugin has cost.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        *,
        clock: Callable[[], float],
        rested: Callable[[str, float], None],
        failed: Callable[[str, BaseException], None] = lambda plugin, error: None,
    ) -> None:
        self._failed = failed
        self._quarantine = quarantine
        self._clock = clock
        self._rested = rested
        self._failing: set[str] = set()
        self.usage = Usage(clock)

    def count(self, plugin: str, error: BaseException) -> None:
        """One more of ``plugin``. A ``PluginError`` speaks for itself: it quotes no user."""
        said = str(error) if isinstance(error, PluginError) else describe(error)
        log.error("plugin %s failed: %s", plugin, said)
        self._failed(plugin, error)
        self.usage.failed(plugin, error)
        self._failing.add(plugin)
        rest = self._quarantine.failed(plugin, self._clock())
        if rest:
            log.error("plugin %s rests for %.0f s after repeated failures", plugin, rest)
            self._rested(plugin, rest)

    def put_to_rest(self, plugin: str, seconds: float) -> None:
        """``plugin`` has brought a worker down before this one."""
        self._failing.add(plugin)
        self._quarantine.put_to_rest(plugin, seconds, self._clock())

    def forgive(self, plugin: str) -> None:
        """``plugin`` has worked: what was before counts no more."""
        if plugin in self._failing:
            self._failing.discard(plugin)
            self._quarantine.succeeded(plugin)

    def resting(self) -> dict[str, float]:
        """The plugins that rest, and the seconds that they still do."""
        rests = {plugin: self.rest(plugin) for plugin in self._failing}
        return {plugin: seconds for plugin, seconds in rests.items() if seconds > 0}

    def rest(self, plugin: str) -> float:
        """Seconds that ``plugin`` still rests, 0 when it may work."""
        if plugin not in self._failing:  # asked of every handler, for every message
            return 0.0
        return self._quarantine.rest(plugin, self._clock())
