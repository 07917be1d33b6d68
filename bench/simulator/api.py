"""What the simulator reads and says: vLLM's requests, answers and events, as plain data. Pure."""

from __future__ import annotations

import json
import random
from math import exp, log
from typing import Any, Final

WORDS: Final = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "and",
    "tells",
    "us",
    "how",
    "it",
    "was",
]
"""What it writes, again and again: a token is a word."""
USUAL: Final = 64
"""Tokens of a usual answer, where the caller doesn't fix its length."""
SPREAD: Final = 0.7
"""The standard deviation of the logarithm of an answer's length."""
UNBOUNDED: Final = 1024
"""Tokens of an answer at most, where the caller sets no bound."""


class Refused(Exception):
    """The request is none that vLLM takes; ``args`` are the status and what it says."""


class Asked:
    """A request that was understood."""

    def __init__(self, path: str, body: dict[str, Any], header: str | None) -> None:
        self.responses = path.endswith("/responses")
        self.chat = path.endswith("/chat/completions")
        self.model = str(body.get("model") or "")
        self.stream = bool(body.get("stream"))
        options = body.get("stream_options") or {}
        self.usage = self.responses or bool(options.get("include_usage"))
        self.prompt = max(
            1, _size(body.get("messages", body.get("input", body.get("prompt")))) // 4
        )
        self.priority = _whole(header if header is not None else body.get("priority", 0))
        bound = body.get("max_tokens", body.get("max_completion_tokens"))
        if self.responses:
            bound = body.get("max_output_tokens")
        self.bound = None if bound is None else _whole(bound)
        if self.bound is not None and self.bound < 1:
            raise Refused(400, f"max_tokens must be at least 1, got {self.bound}.")
        self.fixed = bool(body.get("ignore_eos") or body.get("min_tokens"))

    def output(self, chance: random.Random) -> int:
        """How many tokens the answer has."""
        bound = self.bound or UNBOUNDED
        if self.fixed:
            return bound
        return max(1, min(bound, round(exp(chance.gauss(log(USUAL), SPREAD)))))


def read(path: str, body: bytes, priority: str | None) -> Asked:
    """Understand a request. Raises :class:`Refused` as vLLM does."""
    try:
        data = json.loads(body)
    except ValueError:
        raise Refused(400, "JSON decode error") from None
    if not isinstance(data, dict):
        raise Refused(400, "The body must be an object.")
    return Asked(path, data, priority)


def word(index: int) -> str:
    """Token number ``index`` of an answer."""
    return WORDS[index % len(WORDS)] if index == 0 else f" {WORDS[index % len(WORDS)]}"


def problem(status: int, message: str) -> bytes:
    """An error as vLLM writes it."""
    kinds = {400: "BadRequestError", 404: "NotFoundError", 503: "ServiceUnavailableError"}
    kind = kinds.get(status, "InternalServerError")
    error = {"message": message, "type": kind, "param": None, "code": status}
    return json.dumps({"error": error}).encode()


class Answer:
    """One answer in the form of the API that was asked."""

    def __init__(self, asked: Asked, number: int, created: int) -> None:
        self._asked = asked
        self._created = created
        kind = "resp" if asked.responses else "chatcmpl" if asked.chat else "cmpl"
        self._id = f"{kind}-{number:08x}"

    def begin(self) -> bytes:
        """The first event."""
        if self._asked.responses:
            response = {**self._response("in_progress", None, None), "output": []}
            return self._event({"type": "response.created", "response": response})
        if self._asked.chat:
            return self._chunk({"role": "assistant", "content": ""}, None)
        return b""

    def token(self, index: int) -> bytes:
        """The event of a token."""
        if self._asked.responses:
            return self._event(
                {
                    "type": "response.output_text.delta",
                    "item_id": f"msg-{self._id}",
                    "output_index": 0,
                    "content_index": 0,
                    "delta": word(index),
                }
            )
        return self._chunk({"content": word(index)}, None)

    def end(self, count: int, finish: str) -> bytes:
        """The last events."""
        if self._asked.responses:
            response = self._response("completed", count, finish)
            return self._event({"type": "response.completed", "response": response})
        events = self._chunk({}, finish)
        if self._asked.usage:
            events += self._event(
                {**self._head(".chunk"), "choices": [], "usage": self._used(count)}
            )
        return events + b"data: [DONE]\n\n"

    def whole(self, count: int, finish: str) -> bytes:
        """The answer in one."""
        if self._asked.responses:
            return json.dumps(self._response("completed", count, finish)).encode()
        text = "".join(map(word, range(count)))
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "logprobs": None}
        if self._asked.chat:
            choice["message"] = {"role": "assistant", "content": text}
        else:
            choice["text"] = text
        answer = {**self._head(""), "choices": [choice], "usage": self._used(count)}
        return json.dumps(answer).encode()

    def _head(self, kind: str) -> dict[str, Any]:
        name = f"chat.completion{kind}" if self._asked.chat else "text_completion"
        return {
            "id": self._id,
            "object": name,
            "created": self._created,
            "model": self._asked.model,
        }

    def _chunk(self, delta: dict[str, Any], finish: str | None) -> bytes:
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "logprobs": None}
        if self._asked.chat:
            choice["delta"] = delta
        else:
            choice["text"] = delta.get("content", "")
        return self._event({**self._head(".chunk"), "choices": [choice]})

    def _used(self, count: int) -> dict[str, int]:
        prompt = self._asked.prompt
        return {"prompt_tokens": prompt, "completion_tokens": count, "total_tokens": prompt + count}

    def _response(self, status: str, count: int | None, finish: str | None) -> dict[str, Any]:
        response: dict[str, Any] = {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "model": self._asked.model,
            "status": "incomplete" if finish == "length" else status,
            "incomplete_details": {"reason": "max_output_tokens"} if finish == "length" else None,
        }
        if count is not None:
            content = {
                "type": "output_text",
                "text": "".join(map(word, range(count))),
                "annotations": [],
            }
            response["output"] = [
                {
                    "type": "message",
                    "id": f"msg-{self._id}",
                    "role": "assistant",
                    "status": "completed",
                    "content": [content],
                }
            ]
            prompt = self._asked.prompt
            response["usage"] = {
                "input_tokens": prompt,
                "output_tokens": count,
                "total_tokens": prompt + count,
            }
        return response

    def _event(self, data: dict[str, Any]) -> bytes:
        name = f"event: {data['type']}\n" if self._asked.responses else ""
        return f"{name}data: {json.dumps(data)}\n\n".encode()


def _size(value: object) -> int:
    """The characters of all texts inside."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 0


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise Refused(400, f"Input should be a valid integer, got {value!r}.") from None
