"""What a chat has set: its languages, and whether everything foreign is translated."""

from __future__ import annotations

from typing import Final

import msgspec

from clawdcore import Storage

from .languages import Language, find

KEY: Final = "chat"
MOST: Final = 5
"""Languages that a chat may have: each costs a translation of every message."""


class ChatSettings(msgspec.Struct, frozen=True):
    """``languages`` and ``targets`` are codes of our table.

    ``languages`` are those that people here read (``/lang``); ``targets`` those that
    everything is translated into (``/auto on fr de``), () for the first of ``languages``.
    """

    languages: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    auto: bool = False

    def known(self) -> list[Language]:
        """The languages that people here read."""
        return _parsed(self.languages)

    def into(self) -> list[Language]:
        """What is translated into while ``auto`` is on."""
        return _parsed(self.targets or self.languages[:1])

    @property
    def empty(self) -> bool:
        """Whether nothing is set."""
        return self == ChatSettings()


class Settings:
    """Reads and keeps them in the plugin's storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def read(self, chat: int) -> ChatSettings:
        """What is set for ``chat``; nothing, where it can't be understood."""
        value = await self._storage.get(KEY, chat=chat)
        try:
            return msgspec.convert(value or {}, ChatSettings)
        except msgspec.ValidationError:
            return ChatSettings()

    async def keep(self, chat: int, settings: ChatSettings) -> None:
        """Keep it, or delete what is empty. Raises :class:`clawdcore.StorageError`."""
        value = None if settings.empty else msgspec.to_builtins(settings)
        await self._storage.set(KEY, value, chat=chat)


def _parsed(codes: tuple[str, ...]) -> list[Language]:
    return [language for language in map(find, codes) if language is not None]
