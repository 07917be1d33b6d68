"""What workers asked to be kept for the next one: in memory only, bounded."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from ..broker import Remember, Remembered

BYTES: Final = 48 * 1024 * 1024
"""Bytes of all plugins together; beyond, what was kept longest goes first."""


class Memory:
    """The latest value of each plugin's keys."""

    def __init__(self, *, size: int = BYTES) -> None:
        self._limit = size
        self._values: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._values)

    def take(self, record: Remember) -> None:
        """Keep a value in place of an earlier one, or forget it."""
        key = record.plugin, record.key
        self.bytes -= len(self._values.pop(key, b""))
        if record.body is None:
            return
        self._values[key] = record.body
        self.bytes += len(record.body)
        while self.bytes > self._limit:
            _, body = self._values.popitem(last=False)
            self.bytes -= len(body)

    def all(self) -> list[Remembered]:
        """Everything, the longest kept first."""
        return [Remembered(plugin, key, body) for (plugin, key), body in self._values.items()]
