"""``/v1/responses`` for backends that don't speak it: the request."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..backend import Image, Request, ToolCall, Turn
from .chat import ROLES
from .dialect import Temperature, Writer, choice, picture, schema, tool, unusable
from .envelope import Tokens
from .problems import Problem, wrong_json
from .responses_writing import Asked, ResponsesWriter, broken


class InputPart(msgspec.Struct, frozen=True):
    """A part of a message: input_text, output_text or input_image."""

    type: str
    text: str | None = None
    image_url: str | None = None


class InputItem(msgspec.Struct, frozen=True):
    """A message, a call that the assistant made, or what a call gave."""

    type: str | None = None
    role: str | None = None
    content: str | list[InputPart] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[InputPart] | None = None


class ResponsesTool(msgspec.Struct, frozen=True):
    """A tool; ``type`` must be "function"."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ResponsesChoice(msgspec.Struct, frozen=True):
    """The one tool that must be called."""

    type: str
    name: str | None = None


class TextFormat(msgspec.Struct, frozen=True):
    """The answer's form: text, json_object or json_schema."""

    type: str
    name: str | None = None
    schema: dict[str, Any] | None = None


class TextOptions(msgspec.Struct, frozen=True):
    """How the text is to be."""

    format: TextFormat | None = None


class ResponsesBody(msgspec.Struct, frozen=True):
    """A call of responses; fields that are not here are taken and have no effect."""

    model: str
    input: str | list[InputItem]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Tokens | None = None
    temperature: Temperature | None = None
    tools: list[ResponsesTool] | None = None
    tool_choice: str | ResponsesChoice | None = None
    text: TextOptions | None = None
    previous_response_id: str | None = None
    background: bool | None = None
    user: str | None = None


_DECODER: Final = msgspec.json.Decoder(ResponsesBody)


class Responses:
    """The responses API. Nothing is stored, so that every call brings all of its input."""

    path = "responses"

    def read(self, body: bytes) -> tuple[Request, Writer]:
        """As :meth:`clawdcore.gateway.dialect.Dialect.read`."""
        try:
            asked = _DECODER.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise wrong_json(error) from None
        request = _request(asked)
        form = asked.text.format if asked.text is not None else None
        told = Asked(
            instructions=asked.instructions,
            max_output_tokens=asked.max_output_tokens,
            temperature=asked.temperature,
            tools=request.tools,
            tool_choice=request.tool_choice,
            format=msgspec.to_builtins(form) if form is not None else {"type": "text"},
        )
        return request, ResponsesWriter(told)

    def failed(self, problem: Problem) -> bytes:
        """As :meth:`clawdcore.gateway.dialect.Dialect.failed`."""
        return broken(problem, 0)


def _request(asked: ResponsesBody) -> Request:
    if asked.previous_response_id is not None:
        raise unusable("previous_response_id", "can't be used: nothing is stored here.")
    if asked.background:
        raise unusable("background", "can't be used: nothing is stored here.")
    tools = []
    for index, each in enumerate(asked.tools or ()):
        param = f"tools[{index}]"
        if each.type != "function":
            raise unusable(f"{param}.type", "must be function.")
        tools.append(tool(each.name or "", each.description or "", each.parameters, param))
    chosen = asked.tool_choice
    if isinstance(chosen, ResponsesChoice) and chosen.type != "function":
        raise unusable("tool_choice.type", "must be function.")
    name = (chosen.name or "") if isinstance(chosen, ResponsesChoice) else None
    mode = chosen if isinstance(chosen, str) else "auto"
    form = asked.text.format if asked.text is not None else None
    return Request(
        turns=_turns(asked),
        max_tokens=asked.max_output_tokens,
        temperature=asked.temperature,
        tools=tuple(tools),
        tool_choice=choice(name, mode, tools, "tool_choice"),
        schema=None if form is None else schema(form.type, form.schema, "text.format"),
    )


def _turns(asked: ResponsesBody) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    if asked.instructions:
        turns.append(Turn("system", asked.instructions))
    if isinstance(asked.input, str):
        return (*turns, Turn("user", asked.input))
    for index, item in enumerate(asked.input):
        _add(turns, item, f"input[{index}]")
    if not turns:
        raise unusable("input", "is empty.")
    return tuple(turns)


def _add(turns: list[Turn], item: InputItem, param: str) -> None:
    """Put an item at the end of the conversation."""
    kind = item.type or "message"
    if kind == "message":
        turns.append(_message(item, param))
    elif kind == "function_call":
        if not item.call_id or not item.name:
            raise unusable(param, "needs call_id and name.")
        call = ToolCall(item.call_id, item.name, item.arguments or "{}")
        # One turn of the assistant: what it said, and everything that it called for.
        said = turns.pop() if turns and turns[-1].role == "assistant" else Turn("assistant", "")
        turns.append(msgspec.structs.replace(said, calls=(*said.calls, call)))
    elif kind == "function_call_output":
        if not item.call_id or item.output is None:
            raise unusable(param, "needs call_id and output.")
        text, _ = _content(item.output, f"{param}.output", pictures=False)
        turns.append(Turn("tool", text, call_id=item.call_id))
    elif kind != "reasoning":
        raise unusable(
            f"{param}.type", "must be message, function_call, function_call_output or reasoning."
        )


def _message(item: InputItem, param: str) -> Turn:
    role = ROLES.get(item.role or "")
    if role is None or role == "tool":
        raise unusable(f"{param}.role", "must be one of system, developer, user, assistant.")
    if item.content is None:
        raise unusable(f"{param}.content", "is missing.")
    text, images = _content(item.content, f"{param}.content", pictures=role == "user")
    return Turn(role, text, images)


def _content(
    content: str | list[InputPart], param: str, *, pictures: bool
) -> tuple[str, tuple[Image, ...]]:
    if isinstance(content, str):
        return content, ()
    texts: list[str] = []
    images: list[Image] = []
    for index, part in enumerate(content):
        where = f"{param}[{index}]"
        if part.type in ("input_text", "output_text", "text"):
            texts.append(part.text or "")
        elif part.type == "input_image" and pictures:
            images.append(picture(part.image_url or "", f"{where}.image_url"))
        elif part.type != "refusal":
            kinds = "input_text, output_text" + (", input_image" if pictures else "")
            raise unusable(f"{where}.type", f"must be one of {kinds}.")
    return "\n".join(texts), tuple(images)
