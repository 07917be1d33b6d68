"""What a plugin is handed: its options, its storage, the models, and the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

import msgspec

from ..backend import Audio, Chunk, ModelInfo, Priority, Request, Transcript
from .chats import Chats, NoChats
from .control import Control, NoControl
from .scope import Scope
from .tools import NoTools, Tools

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


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


class Memory(Protocol):
    """What a plugin remembers between messages, in memory only, never on a disk.

    It outlives the worker: one that dies or is replaced hands it to the next. A
    value is at most 256 KB encoded, all values together 32 MB; beyond, what was set
    longest ago goes first. Everything may be called from threads.
    """

    def set(self, key: str, value: object) -> None:
        """Remember anything that msgspec encodes (dict, list, str, number, struct).

        What changes later in ``value`` itself is remembered with the next ``set``.

        Raises:
            clawdcore.ValueTooLarge: it has more than 256 KB.
            TypeError: it can't be encoded.
        """
        ...

    @overload
    def get(self, key: str, type: type[T], default: None = None) -> T | None: ...
    @overload
    def get(self, key: str, type: type[T], default: T) -> T: ...
    @overload
    def get(self, key: str, *, default: Any = None) -> Any: ...
    def get(self, key: str, type: Any = Any, default: Any = None) -> Any:  # noqa: A002 - as msgspec
        """The newest value, or ``default``; cheap: the object that was set, if it was here.

        One that came from another worker is decoded as ``type`` when first asked for.

        Raises:
            msgspec.ValidationError: it is no ``type``.
        """
        ...

    def delete(self, key: str) -> None:
        """Forget a value, in every worker; harmless without one."""
        ...

    def keys(self) -> list[str]:
        """All keys, the longest unset first."""
        ...


class Call(msgspec.Struct, frozen=True):
    """A planned call: ``planned`` is when it was due, in seconds since the epoch."""

    name: str
    chat: int = 0
    user: int = 0
    planned: float = 0.0


class Schedule(Protocol):
    """Calls at a later time, which outlive every restart: ids and times only are kept.

    A plan replaces the one of the same ``name`` (1 to 64 characters), ``chat`` and
    ``user``. All raise :class:`~clawdcore.errors.PluginError` for what can't be planned.
    """

    def on(self, name: str) -> Callable[[F], F]:
        """Decorate the function of a planned call: from a :class:`Call` to a reply.

        It is ``async def`` or plain, and returns ``str``, ``Reply`` or None; a reply
        goes to the call's chat, if that is not 0. Register it before the start is over.
        """
        ...

    async def every(self, name: str, seconds: float, *, chat: int = 0, user: int = 0) -> None:
        """Call each ``seconds`` (1 at least); the same plan made again changes nothing."""
        ...

    async def at(self, name: str, when: datetime | float, *, chat: int = 0, user: int = 0) -> None:
        """Call once: at an aware ``datetime``, or a time in seconds since the epoch."""
        ...

    async def after(self, name: str, seconds: float, *, chat: int = 0, user: int = 0) -> None:
        """Call once, in ``seconds``."""
        ...

    async def cancel(self, name: str, *, chat: int = 0, user: int = 0) -> None:
        """Take a plan back; harmless without one."""
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

    async def transcribe(self, audio: Audio) -> Transcript:
        """What is said, as ``audio.model`` ("provider/model") hears it; no other is asked.

        Class, keys and deadline are those of the message behind it, as for a request.

        Raises:
            clawdcore.errors.BackendError: it can't be written down.
        """
        ...

    async def info(self) -> ModelInfo:
        """The primary model's limits. Raises :class:`~clawdcore.errors.BackendError`."""
        ...


class Context(msgspec.Struct, kw_only=True):
    """Everything of the bot that one plugin may use.

    ``options`` is an instance of the plugin's options model, or None.
    ``compaction`` is ``agents.defaults.compaction.mode``. ``clock`` gives
    seconds that only move forward, ``now`` the time of day, an aware datetime in UTC (both
    virtual in tests, where it begins on 2027-01-15 at 08:00). ``help`` lists the
    commands of all plugins: name and first line. ``chats``, ``control`` and ``tools`` are
    the running bot's; where none runs they have nothing and refuse. ``client`` makes what
    :attr:`http` is.
    """

    plugin: str
    options: Any = None
    models: Models
    storage: Storage
    memory: Memory
    schedule: Schedule
    compaction: Literal["safeguard", "default"] = "safeguard"
    clock: Callable[[], float]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    help: Callable[[], tuple[tuple[str, str], ...]] = tuple
    chats: Chats = msgspec.field(default_factory=NoChats)
    control: Control = msgspec.field(default_factory=NoControl)
    tools: Tools = msgspec.field(default_factory=NoTools)
    client: Callable[[], httpx.AsyncClient] | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        """An HTTP client that reaches the hosts which the hook ``needs`` names, and no other.

        It waits 10 s, follows redirects among those hosts, and uses no proxy of the
        environment. Don't close it. A request to another host raises
        :class:`~clawdcore.PluginError`.

        Raises:
            RuntimeError: no bot runs.
        """
        if self.client is None:
            raise RuntimeError("there is no HTTP client: no bot runs.")
        return self.client()


__all__ = [
    "Call",
    "Chats",
    "Context",
    "Control",
    "Memory",
    "Models",
    "Priority",
    "Schedule",
    "Scope",
    "Storage",
    "Tools",
]
