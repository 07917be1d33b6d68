"""The contract between the core and whatever runs a model.

A backend is an ordinary distribution that implements :class:`Backend` and
registers a factory in ``register_backends``. It never queues without bound: it
admits a request, or raises :class:`~clawdcore.errors.Overloaded`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from enum import IntEnum
from typing import Any, ClassVar, Literal

import msgspec

from .errors import ModelNotFound
from .messages import Content

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "length", "tool_calls", "abort"]


class Priority(IntEnum):
    """Classes of work, the most urgent first (a lower number goes first)."""

    CONTROL = 0
    DIRECT = 1
    GROUP = 2
    MEDIA = 3


class Image(Content, msgspec.Struct, frozen=True):
    """A picture's bytes, as a file of its type holds them."""

    data: bytes
    mime: str = "image/jpeg"

    SHOWN: ClassVar[frozenset[str]] = frozenset({"mime"})


class ToolCall(Content, msgspec.Struct, frozen=True):
    """What a model wants done: ``arguments`` is the text of a JSON object, unchecked."""

    id: str
    name: str
    arguments: str


class Tool(msgspec.Struct, frozen=True):
    """What a model may ask for. ``parameters`` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


class Turn(Content, msgspec.Struct, frozen=True):
    """One turn of a conversation.

    ``images`` stand before the text. ``calls`` is what the assistant asked for;
    a turn of role "tool" answers the call of id ``call_id``.
    """

    role: Role
    content: str
    images: tuple[Image, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""

    SHOWN: ClassVar[frozenset[str]] = frozenset({"role"})


class Request(Content, msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked.

    ``model`` is the model's id as the backend lists it ("" for its first).
    ``max_tokens`` counts generated tokens, None for the backend's own limit.
    ``temperature`` None leaves the model's default. ``deadline`` is in seconds
    of the running loop's clock (``loop.time()``), None for none. ``key`` is the
    fairness key: work of one key shares one portion; within it, ``sender``. While a
    plugin handles a message, keys and deadline are the message's, and the class is
    the message's or a lower one.
    ``tools`` are what the model may ask for; ``tool_choice`` is "" for as it likes,
    "none", "required", or one tool's name. ``schema`` is a JSON Schema that the
    answer must follow. ``shared`` says that the answer depends on nothing but what
    stands here, whoever asks: identical requests in flight then share one generation.
    ``elastic``: a shorter answer does as well, when many ask at once.
    """

    turns: tuple[Turn, ...]
    model: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    priority: Priority = Priority.DIRECT
    deadline: float | None = None
    key: str = ""
    sender: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = ""
    schema: dict[str, Any] | None = None
    shared: bool = False
    elastic: bool = False

    SHOWN: ClassVar[frozenset[str]] = frozenset({"model"})


class Audio(Content, msgspec.Struct, frozen=True, kw_only=True):
    """Speech to write down.

    ``data`` is a file's bytes, ``mime`` its type. ``language`` is an ISO 639-1
    code, "" to find out. The rest is as in :class:`Request`.
    """

    data: bytes
    mime: str = "audio/ogg"
    language: str = ""
    model: str = ""
    priority: Priority = Priority.DIRECT
    deadline: float | None = None
    key: str = ""
    sender: str = ""

    SHOWN: ClassVar[frozenset[str]] = frozenset({"mime", "model"})


class Transcript(Content, msgspec.Struct, frozen=True):
    """What was said. ``language`` is "" and ``seconds`` 0 where the server doesn't say."""

    text: str
    language: str = ""
    seconds: float = 0.0


class ApiCall(Content, msgspec.Struct, frozen=True, kw_only=True):
    """A call of OpenAI's API, to be handed on as it is.

    ``path`` is what follows the base URL (``"chat/completions"``), ``body`` JSON
    whose ``model`` is the backend's own id, ``stream`` whether it asks for events.
    """

    path: str
    body: bytes
    stream: bool = False
    priority: Priority = Priority.DIRECT
    deadline: float | None = None
    key: str = ""
    sender: str = ""

    SHOWN: ClassVar[frozenset[str]] = frozenset({"path"})


class Relayed(msgspec.Struct, frozen=True):
    """A server's answer to a :class:`ApiCall`, before its body was read.

    ``status`` is below 500. Whoever takes it reads ``body`` to its end or closes
    it, which cancels the work. An iteration raises what
    :meth:`Backend.generate` does after its first chunk.
    """

    status: int
    content_type: str
    body: AsyncGenerator[bytes, None]


class Usage(msgspec.Struct, frozen=True):
    """Tokens that went in and came out."""

    prompt_tokens: int
    completion_tokens: int


class Chunk(Content, msgspec.Struct, frozen=True):
    """A piece of the answer. The last one of a generation carries ``finish``.

    ``calls`` are whole: a chunk carries each once.
    """

    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None
    calls: tuple[ToolCall, ...] = ()

    SHOWN: ClassVar[frozenset[str]] = frozenset({"finish", "usage"})


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """One of a backend's servers.

    ``name`` is host and port. ``response_time`` is the mean of late answers' seconds
    up to their first byte, None before any.
    """

    name: str
    up: bool
    running: int = 0
    waiting: int = 0
    response_time: float | None = None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How busy a backend is, now.

    ``running``, ``waiting`` and ``capacity`` count requests over all replicas that
    are up; ``capacity`` is 0 where the server doesn't say. ``cache_use`` is 0 to 1,
    None where unknown; ``tokens_per_second`` is generated tokens over all requests,
    measured lately, None before any. ``queue_time`` is the mean seconds that late
    requests waited inside the server, None where unknown; ``preemptions`` counts
    them since it started.
    """

    running: int
    waiting: int
    capacity: int
    cache_use: float | None = None
    tokens_per_second: float | None = None
    queue_time: float | None = None
    preemptions: int = 0
    replicas: tuple[Replica, ...] = ()


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a backend serves; lengths are in tokens.

    ``images``, ``tools`` and ``audio`` say what it takes: pictures in a turn,
    tools in a request, speech for :meth:`Backend.transcribe`.
    """

    id: str
    context_length: int
    max_output_tokens: int
    images: bool = False
    tools: bool = False
    audio: bool = False


class Backend(ABC):
    """A model server, as the core sees it.

    ``exclusive`` is True for an engine that can't run twice on this machine at
    once (it owns the memory): a swap of workers then drains, stops, starts.
    ``relays`` are the paths of :class:`ApiCall` that :meth:`relay` takes.
    """

    exclusive: ClassVar[bool] = False
    relays: ClassVar[frozenset[str]] = frozenset()

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

    async def transcribe(self, audio: Audio) -> Transcript:
        """Write down what is said. Cancelling it cancels the work on the server.

        Raises:
            ModelNotFound: it has no model for that.
            Overloaded, BackendUnavailable, GenerationFailed: as :meth:`generate`.
        """
        raise ModelNotFound(
            f"{type(self).__name__} does not transcribe.", fix="Name a model that takes audio."
        )

    async def relay(self, call: ApiCall) -> Relayed:
        """Hand a call on as it is, for the gateway; only those of :attr:`relays`.

        Raises:
            Overloaded, BackendUnavailable: as :meth:`generate`.
        """
        raise ModelNotFound(f"{type(self).__name__} does not relay {call.path}.")
