"""The contract between the core and whatever runs a model.

A backend is an ordinary distribution that implements :class:`Backend` and
registers a factory in ``register_backends``. It never queues without bound: it
admits a request, or raises :class:`~clawdcore.errors.Overloaded`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from enum import IntEnum
from typing import ClassVar, Literal

import msgspec

from .messages import Content

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "abort"]


class Priority(IntEnum):
    """Classes of work, the most urgent first (a lower number goes first)."""

    CONTROL = 0
    DIRECT = 1
    GROUP = 2
    MEDIA = 3


class Turn(Content, msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: Role
    content: str

    SHOWN: ClassVar[frozenset[str]] = frozenset({"role"})


class Request(Content, msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked.

    ``model`` is the model's id as the backend lists it ("" for its first).
    ``max_tokens`` counts generated tokens, None for the backend's own limit.
    ``temperature`` None leaves the model's default. ``deadline`` is in seconds
    of the running loop's clock (``loop.time()``), None for none. ``key`` is the
    fairness key: work of one key shares one portion.
    """

    turns: tuple[Turn, ...]
    model: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    priority: Priority = Priority.DIRECT
    deadline: float | None = None
    key: str = ""

    SHOWN: ClassVar[frozenset[str]] = frozenset({"model"})


class Usage(msgspec.Struct, frozen=True):
    """Tokens that went in and came out."""

    prompt_tokens: int
    completion_tokens: int


class Chunk(Content, msgspec.Struct, frozen=True):
    """A piece of the answer. The last one of a generation carries ``finish``."""

    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None

    SHOWN: ClassVar[frozenset[str]] = frozenset({"finish", "usage"})


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How busy a backend is, now.

    ``running``, ``waiting`` and ``capacity`` count requests; ``cache_use`` is 0
    to 1, None where unknown; ``tokens_per_second`` is generated tokens over
    all requests, measured lately, None before any.
    """

    running: int
    waiting: int
    capacity: int
    cache_use: float | None = None
    tokens_per_second: float | None = None


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a backend serves; lengths are in tokens."""

    id: str
    context_length: int
    max_output_tokens: int


class Backend(ABC):
    """A model server, as the core sees it.

    ``exclusive`` is True for an engine that can't run twice on this machine at
    once (it owns the memory): a swap of workers then drains, stops, starts.
    """

    exclusive: ClassVar[bool] = False

    @abstractmethod
    async def start(self) -> None:
        """Make ready. Raises :class:`~clawdcore.errors.BackendError` with the fix."""

    @abstractmethod
    async def close(self) -> None:
        """Give everything back. May be called in any state, more than once."""

    @abstractmethod
    async def models(self) -> list[ModelInfo]:
        """The models it serves, the default one first."""

    @abstractmethod
    def generate(self, request: Request) -> AsyncIterator[Chunk]:
        """Answer as it comes. Closing the iterator cancels the work on the server.

        Raises:
            Overloaded: it takes no more work now; nothing was started.
            ContextOverflow: the turns don't fit the model's context.
            BackendUnavailable: it can't be reached, or died before the first chunk.
            GenerationFailed: it broke after the first chunk.
        """

    @abstractmethod
    async def load(self) -> Load:
        """How busy it is, now; cheap enough to be asked every second."""
