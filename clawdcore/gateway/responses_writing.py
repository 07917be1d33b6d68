"""``/v1/responses`` for backends that don't speak it: the answer."""

from __future__ import annotations

from typing import Any

import msgspec

from ..backend import Tool, ToolCall, Usage
from ..messages import Content
from .dialect import Answer, Heading, event
from .problems import Problem


class Asked(Content, msgspec.Struct, frozen=True, kw_only=True):
    """What an answer repeats of its question."""

    instructions: str | None
    max_output_tokens: int | None
    temperature: float | None
    tools: tuple[Tool, ...]
    tool_choice: str
    format: dict[str, Any]


class ResponsesWriter:
    """Writes responses: the object, or its events in the order that the API promises."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._heading = Heading("", 0, "")
        self._sequence = 0
        self._speaking = False

    def head(self, heading: Heading) -> None:
        """What the answer says of itself."""
        self._heading = heading

    def begin(self) -> bytes:
        """The response exists, and is under way."""
        response = self._response("in_progress", [], None)
        return self._event("response.created", response=response) + self._event(
            "response.in_progress", response=response
        )

    def text(self, piece: str) -> bytes:
        """A piece of the message's text; the first one opens the message."""
        opened = b"" if self._speaking else self._open()
        delta = self._event("response.output_text.delta", **self._place(), delta=piece, logprobs=[])
        return opened + delta

    def end(self, answer: Answer) -> bytes:
        """Close the message, then write the calls, then the whole response."""
        events: list[bytes] = []
        if not self._speaking and not answer.calls:
            events.append(self._open())
        if self._speaking:
            events.append(self._close(answer))
        first = int(self._speaking)
        for index, call in enumerate(answer.calls, first):
            events += self._called(call, index)
        status, reason = _outcome(answer)
        items = self._items(answer, message=self._speaking, status=status)
        response = self._response(status, items, answer.usage, reason)
        return b"".join((*events, self._event(f"response.{status}", response=response)))

    def failed(self, problem: Problem) -> bytes:
        """The event of an answer that broke."""
        return broken(problem, self._sequence)

    def whole(self, answer: Answer) -> bytes:
        """The response."""
        status, reason = _outcome(answer)
        message = bool(answer.text or not answer.calls)
        items = self._items(answer, message=message, status=status)
        return msgspec.json.encode(self._response(status, items, answer.usage, reason))

    def _open(self) -> bytes:
        self._speaking = True
        item = self._message([], "in_progress")
        return self._event("response.output_item.added", output_index=0, item=item) + self._event(
            "response.content_part.added", **self._place(), part=_part("")
        )

    def _close(self, answer: Answer) -> bytes:
        part = _part(answer.text)
        status, _ = _outcome(answer)
        return b"".join(
            (
                self._event(
                    "response.output_text.done", **self._place(), text=answer.text, logprobs=[]
                ),
                self._event("response.content_part.done", **self._place(), part=part),
                self._event(
                    "response.output_item.done",
                    output_index=0,
                    item=self._message([part], status),
                ),
            )
        )

    def _called(self, call: ToolCall, index: int) -> list[bytes]:
        begun = self._call(call, index) | {"arguments": "", "status": "in_progress"}
        done = self._call(call, index)
        place = {"item_id": done["id"], "output_index": index}
        kind = "response.function_call_arguments"
        return [
            self._event("response.output_item.added", output_index=index, item=begun),
            self._event(f"{kind}.delta", **place, delta=call.arguments),
            self._event(f"{kind}.done", **place, name=call.name, arguments=call.arguments),
            self._event("response.output_item.done", output_index=index, item=done),
        ]

    def _event(self, kind: str, **fields: Any) -> bytes:
        number = self._sequence
        self._sequence += 1
        return event({"type": kind, "sequence_number": number, **fields}, kind)

    def _place(self) -> dict[str, Any]:
        return {"item_id": f"msg_{self._heading.id}", "output_index": 0, "content_index": 0}

    def _items(self, answer: Answer, *, message: bool, status: str) -> list[dict[str, Any]]:
        said = [self._message([_part(answer.text)], status)] if message else []
        return said + [self._call(call, i) for i, call in enumerate(answer.calls, len(said))]

    def _message(self, content: list[dict[str, Any]], status: str) -> dict[str, Any]:
        return {
            "id": f"msg_{self._heading.id}",
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _call(self, call: ToolCall, index: int) -> dict[str, Any]:
        return {
            "id": f"fc_{self._heading.id}_{index}",
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }

    def _response(
        self,
        status: str,
        output: list[dict[str, Any]],
        usage: Usage | None,
        incomplete: str | None = None,
    ) -> dict[str, Any]:
        asked, heading = self._asked, self._heading
        chosen = asked.tool_choice
        named = chosen not in ("", "none", "required")
        return {
            "id": f"resp_{heading.id}",
            "object": "response",
            "created_at": heading.created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": incomplete} if incomplete else None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": {},
            "model": heading.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": asked.temperature,
            "text": {"format": asked.format},
            "tool_choice": {"type": "function", "name": chosen} if named else chosen or "auto",
            "tools": [
                {
                    "type": "function",
                    "name": each.name,
                    "description": each.description,
                    "parameters": each.parameters,
                    "strict": False,
                }
                for each in asked.tools
            ],
            "top_p": None,
            "truncation": "disabled",
            "usage": _tokens(usage) if usage is not None else None,
        }


def broken(problem: Problem, sequence: int) -> bytes:
    """The event of an answer that broke; ``error`` is where the official client looks."""
    fields = problem.fields()
    data = {"type": "error", "sequence_number": sequence, **fields, "error": fields}
    return event(data | {"type": "error"}, "error")


def _outcome(answer: Answer) -> tuple[str, str | None]:
    """The response's status, and why it is incomplete."""
    return ("incomplete", "max_output_tokens") if answer.finish == "length" else ("completed", None)


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _tokens(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
