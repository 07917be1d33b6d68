"""What both of OpenAI's APIs have in common, for backends that speak neither."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol

import msgspec

from ..backend import Finish, Image, Request, Tool, ToolCall, Usage
from ..messages import Content
from .problems import Problem

_DATA_URL: Final = re.compile(r"data:(image/[\w.+-]{1,60});base64,")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]
Words = str | list[str]


class Heading(msgspec.Struct, frozen=True):
    """What an answer says of itself: ``created`` in seconds since the epoch."""

    id: str
    created: int
    model: str


class Answer(Content, msgspec.Struct, frozen=True):
    """A whole answer, put together from its chunks."""

    text: str
    calls: tuple[ToolCall, ...]
    finish: Finish
    usage: Usage


class Writer(Protocol):
    """Writes one answer. What it gives are whole server-sent events, or a JSON object."""

    def head(self, heading: Heading) -> None:
        """What the answer says of itself; comes before everything else."""
        ...

    def begin(self) -> bytes:
        """The events before the first chunk."""
        ...

    def text(self, piece: str) -> bytes:
        """The event of a piece of text."""
        ...

    def end(self, answer: Answer) -> bytes:
        """Every event that is left, when the answer is whole."""
        ...

    def failed(self, problem: Problem) -> bytes:
        """The event of an answer that broke; nothing follows it."""
        ...

    def whole(self, answer: Answer) -> bytes:
        """The object, for who asked for no events."""
        ...


class Dialect(Protocol):
    """One of the two APIs. ``path`` is what follows ``/v1/``."""

    path: str

    def read(self, body: bytes) -> tuple[Request, Writer]:
        """The request of a body, without model and the way in, and what writes its answer.

        Raises:
            Problem: 400, saying which field can't be used.
        """
        ...

    def failed(self, problem: Problem) -> bytes:
        """As :meth:`Writer.failed`, for an answer that somebody else wrote."""
        ...


def unusable(param: str, why: str) -> Problem:
    """A 400 for a field: ``why`` goes on after its name."""
    return Problem(400, f"{param} {why}", code="invalid_value", param=param)


def picture(url: str, param: str) -> Image:
    """A picture from a data URL."""
    match = _DATA_URL.match(url)
    if match is None:
        raise unusable(
            param,
            "is not a picture's data URL; nothing is fetched here. "
            "Send the bytes as data:image/…;base64,…",
        )
    try:
        data = base64.b64decode(url[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise unusable(param, "is not base64.") from None
    if not data:
        raise unusable(param, "holds no bytes.")
    return Image(data, match[1])


def tool(name: str, description: str, parameters: dict[str, Any] | None, param: str) -> Tool:
    """A tool, checked as the API promises: names of up to 64 letters, digits, - and _."""
    if not _NAME.fullmatch(name):
        raise unusable(f"{param}.name", "must be 1 to 64 letters, digits, - or _.")
    return Tool(name, description, parameters or {"type": "object", "properties": {}})


def choice(name: str | None, mode: str, tools: Sequence[Tool], param: str) -> str:
    """:attr:`Request.tool_choice` for a mode, or for the one tool's name."""
    if name is not None:
        if name not in {each.name for each in tools}:
            raise unusable(param, "names none of the tools.")
        return name
    if mode not in ("auto", "none", "required"):
        raise unusable(param, "must be auto, none, required or one tool.")
    if mode == "required" and not tools:
        raise unusable(param, "is required, and there are no tools.")
    return "" if mode == "auto" else mode


def stops(value: Words | None) -> tuple[str, ...]:
    """Where to stop; four sequences at most, none of them empty."""
    given = (value,) if isinstance(value, str) else tuple(value or ())
    if len(given) > 4 or not all(given):
        raise unusable("stop", "takes up to four texts, none of them empty.")
    return given


def schema(kind: str, given: dict[str, Any] | None, param: str) -> dict[str, Any] | None:
    """:attr:`Request.schema` for a format of the answer."""
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    if kind != "json_schema":
        raise unusable(f"{param}.type", "must be text, json_object or json_schema.")
    if given is None:
        raise unusable(param, "needs a schema for json_schema.")
    return given


def event(data: dict[str, Any], name: str = "") -> bytes:
    """A server-sent event."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + msgspec.json.encode(data) + b"\n\n"
