"""Which plugins hear what is said in a group to nobody; kept among the bot's own settings.

What one worker changes while another follows it reaches that one through the edge,
as plugins' memory does.
"""

from __future__ import annotations

from typing import Final

from ..hooks.context import Memory
from ..hooks.storage import SettingsStore
from .builtin import CORE

KEY: Final = "hears:"
"""Before a plugin's name: the setting of a chat that it hears."""
NOBODY: Final[frozenset[str]] = frozenset()


class Listening:
    """Chats, and who hears them. ``memory`` is the bot's own."""

    def __init__(self, store: SettingsStore, memory: Memory) -> None:
        self._store = store
        self._memory = memory
        self._chats: dict[int, frozenset[str]] = {}

    async def load(self) -> None:
        """Read what was kept.

        Raises:
            clawdcore.errors.StorageError: it can't be read.
        """
        for key, chat in await self._store.chats(CORE, KEY):
            self._note(key.removeprefix(KEY), chat, on=True)
        changed = self._memory.keys()
        for key in changed:
            self.changed(key)

    def of(self, chat: int) -> frozenset[str]:
        """The plugins that hear ``chat``; asked for every message to nobody."""
        return self._chats.get(chat, NOBODY)

    async def set(self, plugin: str, chat: int, *, on: bool) -> None:
        """As :meth:`clawdcore.Chats.hear`."""
        await self._store.set(CORE, KEY + plugin, chat, 0, "true" if on else None)
        self._note(plugin, chat, on=on)
        self._memory.set(f"{KEY}{plugin}:{chat}", on)

    def changed(self, key: str) -> None:
        """Another worker has changed this key of the bot's own memory."""
        if not key.startswith(KEY):
            return
        plugin, _, chat = key.removeprefix(KEY).rpartition(":")
        on: bool | None = self._memory.get(key, bool)
        if on is not None:
            self._note(plugin, int(chat), on=on)

    def forget(self, chat: int) -> None:
        """Nobody hears ``chat`` any more; its settings are erased by who calls this."""
        for plugin in self._chats.pop(chat, NOBODY):
            self._memory.set(f"{KEY}{plugin}:{chat}", False)

    def _note(self, plugin: str, chat: int, *, on: bool) -> None:
        plugins = self.of(chat) | {plugin} if on else self.of(chat) - {plugin}
        if plugins:
            self._chats[chat] = plugins
        else:
            self._chats.pop(chat, None)
