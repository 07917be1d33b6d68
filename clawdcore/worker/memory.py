"""What plugins remember between messages: here as objects, at the edge as bytes.

Each change is also sent to the edge, which hands it to the next worker, so that
one that dies takes no conversation with it. Nothing of it is ever on a disk.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from typing import Any, Final

import msgspec

from ..broker import Closed, Port, Remember, Remembered, ToEdge, ToWorker
from ..errors import PluginError, ValueTooLarge
from ..hooks.context import Memory

log = logging.getLogger(__name__)

VALUE_LIMIT: Final = 256 * 1024
"""Encoded bytes of one value: it crosses to the edge whole, at each change."""
PLUGIN_LIMIT: Final = 32 * 1024 * 1024
"""Encoded bytes of one plugin's values together; each is held twice, here and at the edge."""
KEY_LIMIT: Final = 128
"""Characters of a key."""
UNREAD: Final = object()
"""Stands for a value whose bytes nobody has decoded yet."""

Key = tuple[str, str]
"""Plugin and key."""


class _Value:
    """One value: its bytes, and what was set or last decoded of them."""

    __slots__ = ("body", "kept", "type")

    def __init__(self, body: bytes, kept: object) -> None:
        self.body = body
        self.kept = kept
        self.type: Any = None


class Memories:
    """The memories of all plugins, and which changes the edge has not had yet.

    Of several changes of one key before its record goes out only the last is sent,
    so that no more waits than there are keys. All of it may be used from threads.
    """

    def __init__(self, *, value_limit: int = VALUE_LIMIT, plugin_limit: int = PLUGIN_LIMIT) -> None:
        self._value_limit = value_limit
        self._plugin_limit = plugin_limit
        self._plugins: dict[str, OrderedDict[str, _Value]] = {}
        self._bytes: dict[str, int] = {}
        self._changed: OrderedDict[Key, None] = OrderedDict()
        self._lock = threading.RLock()
        self._sending = asyncio.Lock()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def of(self, plugin: str) -> Memory:
        """The part that belongs to one plugin."""
        return _PluginMemory(self, plugin)

    def set(self, plugin: str, key: str, value: object) -> None:
        """As :meth:`clawdcore.Memory.set`."""
        if not key or len(key) > KEY_LIMIT:
            raise PluginError(
                f"plugin {plugin!r} remembers under a key of {len(key)} characters.",
                plugin=plugin,
                fix=f"Use 1 to {KEY_LIMIT}.",
            )
        body = msgspec.msgpack.encode(value)
        if len(body) > self._value_limit:
            raise ValueTooLarge(
                f"plugin {plugin!r} remembers a value of {len(body)} bytes; "
                f"{self._value_limit} fit under one key.",
                plugin=plugin,
                fix="Remember less, or under several keys.",
            )
        with self._lock:
            self._put(plugin, key, _Value(body, value))
            self._note(plugin, key)
            values = self._plugins[plugin]
            while self._bytes[plugin] > self._plugin_limit:
                oldest = next(iter(values))
                self._take_out(plugin, oldest)
                self._note(plugin, oldest)

    def get(self, plugin: str, key: str, wanted: Any, default: Any) -> Any:
        """As :meth:`clawdcore.Memory.get`."""
        with self._lock:
            value = self._plugins.get(plugin, OrderedDict()).get(key)
            if value is None:
                return default
            if value.kept is UNREAD or value.type not in (None, wanted):
                value.kept = msgspec.msgpack.decode(value.body, type=wanted)
                value.type = wanted
            return value.kept

    def delete(self, plugin: str, key: str) -> None:
        """As :meth:`clawdcore.Memory.delete`."""
        with self._lock:
            if self._take_out(plugin, key):
                self._note(plugin, key)

    def keys(self, plugin: str) -> list[str]:
        """As :meth:`clawdcore.Memory.keys`."""
        with self._lock:
            return list(self._plugins.get(plugin, ()))

    def take(self, record: Remembered) -> None:
        """Another worker's value in place of ours; without bytes it has forgotten it."""
        with self._lock:
            self._changed.pop((record.plugin, record.key), None)
            if record.body:
                self._put(record.plugin, record.key, _Value(record.body, UNREAD))
            else:
                self._take_out(record.plugin, record.key)

    def clear(self) -> None:
        """Forget everything here; the edge keeps it for the next worker."""
        with self._lock:
            self._plugins.clear()
            self._bytes.clear()
            self._changed.clear()

    async def run(self, port: Port[ToEdge, ToWorker]) -> None:
        """Send each change soon, until cancelled or the edge is gone."""
        wake = asyncio.Event()
        with self._lock:
            self._wake, self._loop = wake, asyncio.get_running_loop()
        try:
            while True:
                await self.send(port)
                await wake.wait()
                wake.clear()
        except Closed:
            log.debug("the edge is gone")
        finally:
            with self._lock:
                self._wake = self._loop = None

    async def send(self, port: Port[ToEdge, ToWorker]) -> None:
        """Send all that changed. Raises :class:`~clawdcore.broker.Closed`."""
        if not self._changed:
            return
        async with self._sending:
            while (record := self._next()) is not None:
                try:
                    await port.send(record)
                except BaseException:
                    with self._lock:
                        self._changed.setdefault((record.plugin, record.key))
                    raise

    def _next(self) -> Remember | None:
        with self._lock:
            if not self._changed:
                return None
            (plugin, key), _ = self._changed.popitem(last=False)
            value = self._plugins.get(plugin, OrderedDict()).get(key)
            return Remember(plugin, key, None if value is None else value.body)

    def _put(self, plugin: str, key: str, value: _Value) -> None:
        self._take_out(plugin, key)
        self._plugins.setdefault(plugin, OrderedDict())[key] = value
        self._bytes[plugin] = self._bytes.get(plugin, 0) + len(value.body)

    def _take_out(self, plugin: str, key: str) -> bool:
        value = self._plugins.get(plugin, OrderedDict()).pop(key, None)
        if value is None:
            return False
        self._bytes[plugin] -= len(value.body)
        return True

    def _note(self, plugin: str, key: str) -> None:
        self._changed[plugin, key] = None
        if self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)


class Ahead:
    """A port over which nothing of a message leaves before what it changed in memory.

    A worker that dies after its answer was handed over has then lost nothing of it.
    """

    def __init__(self, port: Port[ToEdge, ToWorker], memories: Memories) -> None:
        self._port = port
        self._memories = memories

    async def send(self, record: ToEdge) -> None:
        """As :meth:`Port.send`."""
        await self._memories.send(self._port)
        await self._port.send(record)

    async def receive(self) -> ToWorker:
        """As :meth:`Port.receive`."""
        return await self._port.receive()

    def close(self) -> None:
        """As :meth:`Port.close`."""
        self._port.close()


class _PluginMemory:
    """A :class:`~clawdcore.Memory` of one plugin."""

    def __init__(self, memories: Memories, plugin: str) -> None:
        self._memories = memories
        self._plugin = plugin

    def set(self, key: str, value: object) -> None:
        self._memories.set(self._plugin, key, value)

    def get(self, key: str, type: Any = Any, default: Any = None) -> Any:  # noqa: A002 - as msgspec
        return self._memories.get(self._plugin, key, type, default)

    def delete(self, key: str) -> None:
        self._memories.delete(self._plugin, key)

    def keys(self) -> list[str]:
        return self._memories.keys(self._plugin)
