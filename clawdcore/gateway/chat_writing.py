"""``/v1/chat/completions`` for backends that don't speak it: the answer."""

from __future__ import annotations

from typing import Any

import msgspec

from ..backend import ToolCall, Usage
from .dialect import Answer, Heading, event
from .problems import Problem

DONE = b"data: [DONE]\n\n"


class ChatWriter:
    """Writes chat completions. ``usage`` adds an event with the tokens to a stream."""

    def __init__(self, *, usage: bool) -> None:
        self._usage = usage
        self._heading = Heading("", 0, "")

    def head(self, heading: Heading) -> None:
        """What the answer says of itself."""
        self._heading = heading

    def begin(self) -> bytes:
        """The event that says who speaks."""
        return self._delta({"role": "assistant", "content": ""})

    def text(self, piece: str) -> bytes:
        """The event of a piece of text."""
        return self._delta({"content": piece})

    def end(self, answer: Answer) -> bytes:
        """Calls, the reason of the end, the usage where it was asked for."""
        events = [
            self._delta({"tool_calls": [{"index": index, **_call(call)}]})
            for index, call in enumerate(answer.calls)
        ]
        events.append(self._delta({}, _finish(answer)))
        if self._usage:
            last = self._object("chat.completion.chunk", [])
            events.append(event(last | {"usage": _tokens(answer.usage)}))
        return b"".join((*events, DONE))

    def failed(self, problem: Problem) -> bytes:
        """The event of an answer that broke."""
        return broken(problem)

    def whole(self, answer: Answer) -> bytes:
        """The chat completion."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": answer.text if answer.text or not answer.calls else None,
            "refusal": None,
        }
        if answer.calls:
            message["tool_calls"] = [_call(call) for call in answer.calls]
        only = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": _finish(answer),
        }
        return msgspec.json.encode(
            self._object("chat.completion", [only]) | {"usage": _tokens(answer.usage)}
        )

    def _delta(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        only = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event(self._object("chat.completion.chunk", [only]))

    def _object(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        heading = self._heading
        return {
            "id": f"chatcmpl-{heading.id}",
            "object": kind,
            "created": heading.created,
            "model": heading.model,
            "choices": choices,
        }


def broken(problem: Problem) -> bytes:
    """The event of an answer that broke."""
    return event({"error": problem.fields()})


def _finish(answer: Answer) -> str:
    return "tool_calls" if answer.calls and answer.finish == "stop" else answer.finish


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _tokens(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
