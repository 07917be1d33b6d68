"""What is said to the server, and what its answers mean. No IO here."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from clawdcore import (
    BackendError,
    BackendUnavailable,
    BadAnswer,
    Chunk,
    ContextOverflow,
    ModelNotFound,
    Overloaded,
    Request,
    RequestRefused,
    Tool,
    ToolCall,
    Turn,
    Usage,
)

DONE = b"[DONE]"
LONGEST_EVENT = 1 << 20
"""Bytes; a server's are a few hundred."""


MOST_CALLS = 64
"""Calls of tools in one answer."""


class Function(msgspec.Struct):
    """A piece of a call: its name comes once, its arguments in pieces."""

    name: str | None = None
    arguments: str | None = None


class CallDelta(msgspec.Struct):
    """A piece of the call number ``index``."""

    index: int = 0
    id: str | None = None
    function: Function = msgspec.field(default_factory=Function)


class Delta(msgspec.Struct):
    """New text, or pieces of calls."""

    content: str | None = None
    tool_calls: list[CallDelta] | None = None


class Choice(msgspec.Struct):
    """The one answer that was asked for."""

    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None


class Spent(msgspec.Struct):
    """Tokens of the whole request."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Event(msgspec.Struct):
    """One event of the stream; ``error`` is set where the server gave up."""

    choices: list[Choice] = []
    usage: Spent | None = None
    error: Any = None


class Listed(msgspec.Struct):
    """A model; ``max_model_len`` is its context in tokens, where the server says it."""

    id: str
    max_model_len: int | None = None


class Listing(msgspec.Struct):
    """The answer of ``/v1/models``."""

    data: list[Listed] = []


class Problem(msgspec.Struct):
    """What went wrong, as a name. The message may quote people, so it is not decoded."""

    code: str | int | None = None
    type: str | None = None


class Refusal(msgspec.Struct):
    """The body of an error."""

    error: Problem = msgspec.field(default_factory=Problem)


def body(request: Request, model: str, most: int) -> dict[str, Any]:
    """What is posted for ``request``: an answer of at most ``most`` tokens, as a stream."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": [message(turn) for turn in request.turns],
        "max_tokens": min(request.max_tokens or most, most),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.temperature is not None:
        asked["temperature"] = request.temperature
    if request.stop:
        asked["stop"] = list(request.stop)
    if request.schema is not None:
        schema = {"name": "answer", "schema": request.schema}
        asked["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.tools:
        asked["tools"] = [{"type": "function", "function": function(t)} for t in request.tools]
        asked["tool_choice"] = choice(request.tool_choice)
    return asked


def message(turn: Turn) -> dict[str, Any]:
    """A turn as the API has it."""
    said: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.calls
        ]
    if turn.role == "tool":
        said["tool_call_id"] = turn.call_id
    return said


def function(tool: Tool) -> dict[str, Any]:
    """A tool as the API has it."""
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def choice(wanted: str) -> Any:
    """Which tool the model may take: as it likes, none, any, or one by its name."""
    if wanted in {"", "none", "required"}:
        return wanted or "auto"
    return {"type": "function", "function": {"name": wanted}}


class Events:
    """Splits the bytes of a stream into the data of its events."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The data that ``data`` completes. Raises ValueError for an event without end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_EVENT:
            raise ValueError("an event without end")
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]


class Answer:
    """Turns events into chunks; the last one carries how it ended and what it took."""

    def __init__(self) -> None:
        self._finish: Literal["stop", "length", "tool_calls"] | None = None
        self._calls: dict[int, CallDelta] = {}
        self._usage: Usage | None = None

    @property
    def whole(self) -> bool:
        """Whether the server has said how the answer ended."""
        return self._finish is not None

    def take(self, data: bytes) -> str:
        """The new text of an event, "" for none.

        Raises:
            BadAnswer: it is no event, or the server says that it failed.
        """
        try:
            event = msgspec.json.decode(data, type=Event)
        except msgspec.MsgspecError:
            raise BadAnswer("the server sent what is no event of a chat.") from None
        if event.error is not None:
            raise BadAnswer("the server gave up in the middle of its work.")
        if event.usage is not None:
            self._usage = Usage(event.usage.prompt_tokens, event.usage.completion_tokens)
        if not event.choices:
            return ""
        for piece in event.choices[0].delta.tool_calls or ():
            self._add(piece)
        reason = event.choices[0].finish_reason
        if reason is not None:
            # Servers differ in what they say after a call; the call itself does not.
            ended: Literal["stop", "tool_calls"] = "tool_calls" if self._calls else "stop"
            self._finish = "length" if reason == "length" else ended
        return event.choices[0].delta.content or ""

    def end(self) -> Chunk:
        """The last chunk, with all calls whole."""
        calls = tuple(
            ToolCall(call.id or f"call-{index}", call.function.name or "", arguments(call))
            for index, call in sorted(self._calls.items())
        )
        return Chunk("", self._finish, self._usage, calls)

    def _add(self, piece: CallDelta) -> None:
        known = self._calls.setdefault(piece.index, CallDelta(piece.index))
        known.id = known.id or piece.id
        known.function.name = known.function.name or piece.function.name
        known.function.arguments = arguments(known) + arguments(piece)
        if len(known.function.arguments) > LONGEST_EVENT or len(self._calls) > MOST_CALLS:
            raise BadAnswer("the server's calls of tools have no end.")


def arguments(call: CallDelta) -> str:
    """What has come of a call's arguments so far."""
    return call.function.arguments or ""


def refusal(status: int, content: bytes, retry_after: str, model: str) -> BackendError:
    """What an answer with another status than 200 means."""
    try:
        problem = msgspec.json.decode(content, type=Refusal).error
    except msgspec.MsgspecError:
        problem = Problem()
    if status in (429, 503):
        seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 5.0
        return Overloaded("the model server is busy.", retry_after=seconds, fix="Ask again later.")
    if problem.code == "context_length_exceeded":
        return ContextOverflow("the question is longer than the model takes.", fix="Shorten it.")
    if status == 404:
        return ModelNotFound(f"the server has no model {model}.", fix="Correct the model's name.")
    if status in (401, 403):
        # Not the request's fault: another model, with a key of its own, may answer it.
        return BackendUnavailable("the server refuses the key.", fix="Correct apiKey.")
    if status < 500:
        return RequestRefused(f"the server refuses the request (HTTP {status}).", status=status)
    return BackendUnavailable(f"the server fails (HTTP {status}).", fix="Look into its log.")
