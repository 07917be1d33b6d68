"""The API chat/completions: a request's body, and the events of its answer. No IO here."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

import msgspec

from clawdcore import Image, Request, ToolCall, Turn, Usage

from .events import DONE
from .reading import Finish, Problem, Reader

PATH: Final = "chat/completions"
FINISHES: Final[dict[str, Finish]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "abort": "abort",
}
"""Reasons that mean the same here; every other is a stop, such as a content filter's."""
MOST_CALLS: Final = 128
"""Tools that one answer may call, OpenAI's own limit for a request's tools."""


def encode(request: Request, model: str, max_tokens: int | None) -> bytes:
    """The body that asks ``model`` for at most ``max_tokens``, streamed."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(turn) for turn in request.turns],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.stop:
        body["stop"] = request.stop
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in request.tools
        ]
        if request.tool_choice in ("none", "required"):
            body["tool_choice"] = request.tool_choice
        elif request.tool_choice:
            body["tool_choice"] = {"type": "function", "function": {"name": request.tool_choice}}
    if request.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": request.schema, "strict": True},
        }
    return msgspec.json.encode(body)


def data_url(image: Image) -> str:
    """The picture inside its own address (RFC 2397)."""
    return f"data:{image.mime};base64,{b64encode(image.data).decode('ascii')}"


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.images:
        parts: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": data_url(image)}} for image in turn.images
        ]
        if turn.content:
            parts.append({"type": "text", "text": turn.content})
        message["content"] = parts
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.calls
        ]
    if turn.role == "tool":
        message["tool_call_id"] = turn.call_id
    return message


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    """A piece of a call. Some servers leave the index out and send calls whole."""

    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    """What is new; a reasoning model's thoughts count as tokens and are left out."""

    content: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Spent(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Spent | None = None
    error: Problem | None = None
    object: str | None = None


class _Partial(msgspec.Struct):
    id: str
    name: str = ""
    arguments: list[str] = []


_decoder: Final = msgspec.json.Decoder(_Event)


class ChatReader(Reader):
    """Reads the stream of chat/completions."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[int, _Partial] = {}

    def _read(self, data: bytes) -> str:
        if data == DONE:
            self.ended = True
            return ""
        event = _decoder.decode(data)
        if event.error is not None:
            raise event.error.raised()
        if event.choices is None and event.usage is None:
            raise _no_event(event)
        if event.usage is not None and event.usage.completion_tokens is not None:
            self.usage = Usage(event.usage.prompt_tokens, event.usage.completion_tokens)
        text = ""
        for choice in event.choices or ():
            if choice.index == 0:
                text += self._choice(choice)
        return text

    def _choice(self, choice: _Choice) -> str:
        delta = choice.delta or _Delta()
        for call in delta.tool_calls or ():
            self._call(call)
        if delta.content or delta.tool_calls or delta.reasoning or delta.reasoning_content:
            self._came()
        if choice.finish_reason == "error":  # vLLM's word for a failure inside the engine
            raise Problem().raised()
        if choice.finish_reason is not None:
            self.finish = FINISHES.get(choice.finish_reason, "stop")
        return delta.content or ""

    def _call(self, piece: _Call) -> None:
        index = piece.index
        if index is None:
            new = piece.id is not None or not self._calls
            index = len(self._calls) if new else len(self._calls) - 1
        call = self._calls.get(index)
        if call is None:
            if len(self._calls) == MOST_CALLS:
                raise ValueError("more calls than anybody could want")
            call = self._calls[index] = _Partial(id=piece.id or "")
        if piece.id:
            call.id = piece.id
        if piece.function is not None:
            call.name = piece.function.name or call.name
            if piece.function.arguments:
                call.arguments.append(piece.function.arguments)

    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(
                id=call.id or f"call_{index}",
                name=call.name,
                arguments="".join(call.arguments) or "{}",
            )
            for index, call in sorted(self._calls.items())
        )


def _no_event(event: _Event) -> Exception:
    """An object that is neither: some servers put an error's fields at the top."""
    return Problem().raised() if event.object == "error" else ValueError("no event")
