"""A plugin's memory outside a bot, as another worker may change it too."""

from __future__ import annotations

import msgspec

from ..broker import Remembered
from ..hooks.context import Memory
from ..worker.memory import VALUE_LIMIT, Memories


class FakeMemory:
    """``memory`` is what a plugin gets as ``context.memory``.

    A value has at most ``value_limit`` bytes, as msgpack.
    """

    def __init__(self, *, value_limit: int = VALUE_LIMIT) -> None:
        self._memories = Memories(value_limit=value_limit)
        self.memory: Memory = self._memories.of("plugin")

    def set_elsewhere(self, key: str, value: object) -> None:
        """Another worker of the plugin remembers something."""
        self._memories.take(Remembered("plugin", key, msgspec.msgpack.encode(value)))

    def forget_elsewhere(self, key: str) -> None:
        """Another worker of the plugin forgets something."""
        self._memories.take(Remembered("plugin", key, b""))
