"""``/v1/chat/completions`` for backends that don't speak it: the request."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from ..backend import Image, Request, Role, ToolCall, Turn
from .chat_writing import ChatWriter, broken
from .dialect import (
    Temperature,
    Words,
    Writer,
    choice,
    picture,
    schema,
    stops,
    tool,
    unusable,
)
from .envelope import Tokens
from .problems import Problem, wrong_json

ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


class ImageUrl(msgspec.Struct, frozen=True):
    """A picture; ``url`` must be a data URL."""

    url: str


class ChatPart(msgspec.Struct, frozen=True):
    """A part of a message: text, or a picture in a user's message."""

    type: str
    text: str | None = None
    image_url: ImageUrl | None = None


class FunctionCall(msgspec.Struct, frozen=True):
    """A call that the assistant made; ``arguments`` is the text of a JSON object."""

    name: str
    arguments: str = "{}"


class ChatCall(msgspec.Struct, frozen=True):
    """As :class:`FunctionCall`, with its id."""

    id: str
    function: FunctionCall
    type: str = "function"


class ChatMessage(msgspec.Struct, frozen=True):
    """A turn of the conversation."""

    role: str
    content: str | list[ChatPart] | None = None
    tool_calls: list[ChatCall] | None = None
    tool_call_id: str | None = None


class ChatFunction(msgspec.Struct, frozen=True):
    """What a model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ChatTool(msgspec.Struct, frozen=True):
    """A tool; ``type`` is "function"."""

    function: ChatFunction
    type: str = "function"


class NamedFunction(msgspec.Struct, frozen=True):
    """The name of one tool."""

    name: str


class ChatChoice(msgspec.Struct, frozen=True):
    """The one tool that must be called."""

    function: NamedFunction
    type: str = "function"


class NamedSchema(msgspec.Struct, frozen=True):
    """The schema that the answer follows."""

    name: str = "answer"
    schema: dict[str, Any] | None = None


class ResponseFormat(msgspec.Struct, frozen=True):
    """The answer's form: text, json_object or json_schema."""

    type: str
    json_schema: NamedSchema | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    """``include_usage`` adds an event with the tokens."""

    include_usage: bool | None = None


class ChatBody(msgspec.Struct, frozen=True):
    """A call of chat completions; fields that are not here are taken and have no effect."""

    model: str
    messages: Annotated[list[ChatMessage], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: Temperature | None = None
    stop: Words | None = None
    tools: list[ChatTool] | None = None
    tool_choice: str | ChatChoice | None = None
    response_format: ResponseFormat | None = None
    n: int | None = None
    logprobs: bool | None = None
    user: str | None = None


_DECODER: Final = msgspec.json.Decoder(ChatBody)


class Chat:
    """The chat-completions API."""

    path = "chat/completions"

    def read(self, body: bytes) -> tuple[Request, Writer]:
        """As :meth:`clawdcore.gateway.dialect.Dialect.read`."""
        try:
            asked = _DECODER.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise wrong_json(error) from None
        options = asked.stream_options
        writer = ChatWriter(usage=bool(options is not None and options.include_usage))
        return _request(asked), writer

    def failed(self, problem: Problem) -> bytes:
        """As :meth:`clawdcore.gateway.dialect.Dialect.failed`."""
        return broken(problem)


def _request(asked: ChatBody) -> Request:
    if asked.n not in (None, 1):
        raise unusable("n", "must be 1 with this model.")
    if asked.logprobs:
        raise unusable("logprobs", "can't be had from this model.")
    tools = tuple(
        tool(
            each.function.name,
            each.function.description or "",
            each.function.parameters,
            f"tools[{index}].function",
        )
        for index, each in enumerate(asked.tools or ())
    )
    chosen = asked.tool_choice
    name = chosen.function.name if isinstance(chosen, ChatChoice) else None
    mode = chosen if isinstance(chosen, str) else "auto"
    form = asked.response_format
    named = form.json_schema if form is not None else None
    return Request(
        turns=tuple(_turn(each, f"messages[{i}]") for i, each in enumerate(asked.messages)),
        max_tokens=asked.max_completion_tokens or asked.max_tokens,
        temperature=asked.temperature,
        stop=stops(asked.stop),
        tools=tools,
        tool_choice=choice(name, mode, tools, "tool_choice"),
        schema=None
        if form is None
        else schema(form.type, named.schema if named else None, "response_format"),
    )


def _turn(message: ChatMessage, param: str) -> Turn:
    role = ROLES.get(message.role)
    if role is None:
        raise unusable(f"{param}.role", f"must be one of {', '.join(ROLES)}.")
    if role == "tool" and not message.tool_call_id:
        raise unusable(f"{param}.tool_call_id", "is missing.")
    calls = tuple(
        ToolCall(each.id, each.function.name, each.function.arguments)
        for each in message.tool_calls or ()
    )
    if calls and role != "assistant":
        raise unusable(f"{param}.tool_calls", "is only for the assistant's messages.")
    if message.content is None and not calls:
        raise unusable(f"{param}.content", "is missing.")
    text, images = _content(message.content, f"{param}.content")
    if images and role != "user":
        raise unusable(f"{param}.content", "may hold pictures only in a user's message.")
    return Turn(role, text, images, calls, message.tool_call_id or "" if role == "tool" else "")


def _content(content: str | list[ChatPart] | None, param: str) -> tuple[str, tuple[Image, ...]]:
    if content is None or isinstance(content, str):
        return content or "", ()
    texts: list[str] = []
    images: list[Image] = []
    for index, part in enumerate(content):
        where = f"{param}[{index}]"
        if part.type in ("text", "refusal"):
            texts.append(part.text or "")
        elif part.type == "image_url":
            if part.image_url is None:
                raise unusable(f"{where}.image_url", "is missing.")
            images.append(picture(part.image_url.url, f"{where}.image_url.url"))
        else:
            raise unusable(f"{where}.type", "must be text or image_url.")
    return "\n".join(texts), tuple(images)
