"""The API responses: a request's body, and the events of its answer. No IO here."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from clawdcore import Request, ToolCall, Turn, Usage

from .chat import MOST_CALLS, data_url
from .events import DONE
from .reading import Problem, Reader

PATH: Final = "responses"


def encode(request: Request, model: str, max_tokens: int | None) -> bytes:
    """The body that asks ``model`` for at most ``max_tokens``, streamed and not kept."""
    body: dict[str, Any] = {
        "model": model,
        "input": [item for turn in request.turns for item in _items(turn)],
        "stream": True,
        "store": False,
    }
    if max_tokens is not None:
        body["max_output_tokens"] = max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.stop:
        body["stop"] = request.stop  # vLLM's own: OpenAI's API has no such field
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,
            }
            for tool in request.tools
        ]
        if request.tool_choice in ("none", "required"):
            body["tool_choice"] = request.tool_choice
        elif request.tool_choice:
            body["tool_choice"] = {"type": "function", "name": request.tool_choice}
    if request.schema is not None:
        body["text"] = {
            "format": {
                "type": "json_schema",
                "name": "answer",
                "schema": request.schema,
                "strict": True,
            }
        }
    return msgspec.json.encode(body)


def _items(turn: Turn) -> list[dict[str, Any]]:
    if turn.role == "tool":
        return [{"type": "function_call_output", "call_id": turn.call_id, "output": turn.content}]
    items: list[dict[str, Any]] = []
    if turn.images:
        parts: list[dict[str, Any]] = [
            {"type": "input_image", "image_url": data_url(image), "detail": "auto"}
            for image in turn.images
        ]
        if turn.content:
            parts.append({"type": "input_text", "text": turn.content})
        items.append({"role": turn.role, "content": parts})
    elif turn.content or not turn.calls:
        items.append({"role": turn.role, "content": turn.content})
    items += [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in turn.calls
    ]
    return items


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Item(msgspec.Struct):
    """A piece of the output: a message, a call, thoughts."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    content: list[_Part] | None = None


class _Spent(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _Response(msgspec.Struct):
    status: str | None = None
    output: list[_Item] = []
    usage: _Spent | None = None
    incomplete_details: _Incomplete | None = None
    error: Problem | None = None


class _Event(msgspec.Struct):
    type: str = ""
    delta: Any = None
    item: _Item | None = None
    response: _Response | None = None
    error: Problem | None = None
    code: int | str | None = None


_decoder: Final = msgspec.json.Decoder(_Event)


class ResponsesReader(Reader):
    """Reads the stream of responses."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[ToolCall] = []
        self._said = False

    def _read(self, data: bytes) -> str:
        if data == DONE:  # not the API's, and some servers send it
            self.ended = True
            return ""
        event = _decoder.decode(data)
        if event.error is not None:
            raise event.error.raised()
        match event.type:
            case "response.output_text.delta":
                return self._text(event.delta)
            case "response.output_item.done":
                self._item(event.item or _Item())
            case "response.completed" | "response.incomplete":
                return self._end(event)
            case "response.failed":
                failed = event.response or _Response()
                raise (failed.error or Problem()).raised()
            case "error":
                raise Problem(code=event.code).raised()
            case "":
                raise ValueError("no event")
            case other if other.endswith(".delta"):
                self._came()
        return ""

    def _text(self, delta: Any) -> str:
        if not isinstance(delta, str):
            raise ValueError("a delta that is no text")
        if delta:
            self._came()
            self._said = True
        return delta

    def _item(self, item: _Item) -> None:
        if item.type != "function_call":
            return
        self.begun = True
        if len(self._calls) == MOST_CALLS:
            raise ValueError("more calls than anybody could want")
        self._calls.append(
            ToolCall(
                id=item.call_id or item.id or f"call_{len(self._calls)}",
                name=item.name or "",
                arguments=item.arguments or "{}",
            )
        )

    def _end(self, event: _Event) -> str:
        response = event.response or _Response()
        if response.usage is not None:
            self.usage = Usage(response.usage.input_tokens, response.usage.output_tokens)
        details = response.incomplete_details
        cut = details is not None and details.reason == "max_output_tokens"
        self.finish = "length" if cut else "stop"
        self.ended = True
        if not self._calls:
            for item in response.output:
                self._item(item)
        if self._said:
            return ""
        # A server may say at its end what it never streamed.
        parts = [part for item in response.output for part in item.content or ()]
        text = "".join(part.text or "" for part in parts if part.type == "output_text")
        return self._text(text)

    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls)
