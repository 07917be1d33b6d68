"""What a plugin is handed: its options, its storage, the models, and the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, Protocol

import msgspec

from ..backend import Chunk, ModelInfo, Priority, Request


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Whom ``forget`` is about: a user everywhere, or a chat with all in it."""

    kind: Literal["chat", "user"]
    id: int


class Storage(Protocol):
    """A plugin's own small key-value store, for settings, never for content.

    A value is anything that JSON holds and at most 4096 bytes of it. ``chat``
    and ``user`` are ids; a value belongs to the pair that it was set with, and
    is erased by ``/forget`` of either.
    """

    async def get(self, key: str, *, chat: int = 0, user: int = 0, default: Any = None) -> Any:
        """The value, or ``default``. Raises :class:`~clawdcore.errors.StorageError`."""
        ...

    async def set(self, key: str, value: Any, *, chat: int = 0, user: int = 0) -> None:
        """Keep a value; None deletes. Raises :class:`~clawdcore.errors.StorageError`."""
        ...


class Models(Protocol):
    """The models of the configuration: the primary one, then its fallbacks."""

    def generate(self, request: Request) -> AsyncIterator[Chunk]:
        """Answer as it comes, from the first model that can.

        With ``request.model`` empty the configured primary model answers, and
        the fallbacks after it when one fails before its first text.

        Raises:
            clawdcore.errors.BackendError: none of them could.
        """
        ...

    async def complete(self, request: Request) -> str:
        """The whole answer as one string; raises as :meth:`generate` does."""
        ...

    async def info(self) -> ModelInfo:
        """The primary model's limits. Raises :class:`~clawdcore.errors.BackendError`."""
        ...


class Context(msgspec.Struct, kw_only=True):
    """Everything of the bot that one plugin may use.

    ``options`` is an instance of the plugin's options model, or None.
    ``compaction`` is ``agents.defaults.compaction.mode``. ``clock`` gives
    seconds that only move forward (virtual in tests). ``help`` lists the
    commands of all plugins: name and first line.
    """

    plugin: str
    options: Any = None
    models: Models
    storage: Storage
    compaction: Literal["safeguard", "default"] = "safeguard"
    clock: Callable[[], float]
    help: Callable[[], tuple[tuple[str, str], ...]] = tuple


__all__ = ["Context", "Models", "Priority", "Scope", "Storage"]
