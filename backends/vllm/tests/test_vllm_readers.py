"""What the events of both APIs add up to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clawdbot_vllm.chat import MOST_CALLS, ChatReader
from clawdbot_vllm.chat import encode as encode_chat
from clawdbot_vllm.reading import LONGEST_ANSWER, ErrorEvent, Reader
from clawdbot_vllm.responses import ResponsesReader
from clawdbot_vllm.responses import encode as encode_responses
from clawdcore import Request, Tool, ToolCall, Turn, Usage


def read(reader: Reader, *events: Any) -> str:
    return "".join(
        reader.read(event if isinstance(event, bytes) else json.dumps(event).encode())
        for event in events
    )


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def call(index: int | None, call_id: str | None, name: str | None, text: str | None) -> Any:
    piece: dict[str, Any] = {"function": {"name": name, "arguments": text}, "id": call_id}
    if index is not None:
        piece["index"] = index
    return delta(tool_calls=[piece])


def test_a_call_is_put_together_from_its_pieces() -> None:
    reader = ChatReader()
    read(
        reader,
        call(0, "a", "look", ""),
        call(1, "b", "ask", '{"q'),
        call(0, None, None, '{"at"'),
        call(1, None, None, '":1}'),
        call(0, None, None, ":2}"),
        delta("tool_calls"),
        b"[DONE]",
    )
    assert reader.last().finish == "tool_calls"
    assert reader.last().calls == (
        ToolCall("a", "look", '{"at":2}'),
        ToolCall("b", "ask", '{"q":1}'),
    )
    assert reader.begun


def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    reader = ChatReader()
    read(
        reader,
        call(None, "a", "look", '{"at"'),
        call(None, None, None, ":1}"),
        call(None, "b", "look", None),
    )
    assert reader.last().calls == (ToolCall("a", "look", '{"at":1}'), ToolCall("b", "look", "{}"))
    assert reader.last().finish == "tool_calls"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("abort", "abort"),
        ("content_filter", "stop"),
    ],
)
def test_every_finish_has_its_meaning(said: str, meant: str) -> None:
    reader = ChatReader()
    read(reader, delta(said, content="x"))
    assert reader.finish == meant


def test_usage_may_come_before_within_or_after_the_end() -> None:
    usage = {"usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    for events in (
        [{**delta(content="x"), **usage}, delta("stop")],
        [{**delta("stop"), **usage}],
        [delta("stop"), {"choices": [], **usage}],
        [delta("stop"), usage],
    ):
        reader = ChatReader()
        read(reader, *events)
        assert reader.last().usage == Usage(3, 2)


def test_a_role_alone_is_no_token() -> None:
    reader = ChatReader()
    assert read(reader, delta(role="assistant", content="")) == ""
    assert not reader.begun
    assert read(reader, delta(content="a"), delta(content="b")) == "ab"
    assert (reader.begun, reader.tokens) == (True, 2)


def test_another_choice_is_left_out() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "no"}}]}
    assert read(ChatReader(), other) == ""


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"error": {"message": "x", "code": 503}}, 503),
        ({"error": {"message": "x", "code": "bad"}}, 500),
        ({"object": "error", "message": "x"}, 500),
        (delta("error"), 500),
    ],
)
def test_an_error_event_carries_its_status(event: Any, status: int) -> None:
    with pytest.raises(ErrorEvent) as caught:
        read(ChatReader(), event)
    assert caught.value.status == status


@pytest.mark.parametrize("event", [{}, [], 3, {"choices": "x"}, {"hello": 1}])
@pytest.mark.parametrize("kind", [ChatReader, ResponsesReader])
def test_what_is_no_event_is_refused(kind: type[Reader], event: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own errors are ValueErrors too
        read(kind(), event)


def test_what_has_no_end_is_refused() -> None:
    reader = ChatReader()
    piece = delta(content="x" * 500_000)
    with pytest.raises(ValueError, match="without end"):
        read(reader, *[piece] * (LONGEST_ANSWER // 500_000 + 1))
    with pytest.raises(ValueError, match="calls"):
        read(ChatReader(), *[call(index, "a", "b", "") for index in range(MOST_CALLS + 1)])


def response(**fields: Any) -> dict[str, Any]:
    return {"type": "response.completed", "response": {"status": "completed", **fields}}


def test_a_cut_answer_of_responses_has_its_finish() -> None:
    reader = ResponsesReader()
    read(reader, response(incomplete_details={"reason": "max_output_tokens"}))
    assert (reader.finish, reader.ended) == ("length", True)
    reader = ResponsesReader()
    incomplete = {**response(), "type": "response.incomplete"}
    read(reader, incomplete)
    assert reader.finish == "stop"


def test_what_was_never_streamed_is_taken_from_the_end() -> None:
    reader = ResponsesReader()
    message = {"type": "message", "content": [{"type": "output_text", "text": "late"}]}
    asked = {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}
    assert read(reader, response(output=[message, asked])) == "late"
    assert reader.last().calls == (ToolCall("c", "n", "{}"),)


def test_what_was_streamed_is_not_repeated_at_the_end() -> None:
    reader = ResponsesReader()
    message = {"type": "message", "content": [{"type": "output_text", "text": "once"}]}
    said = {"type": "response.output_text.delta", "delta": "once"}
    assert read(reader, said, response(output=[message])) == "once"


def test_thoughts_begin_an_answer_and_are_left_out() -> None:
    reader = ResponsesReader()
    assert read(reader, {"type": "response.reasoning_text.delta", "delta": "hm"}) == ""
    assert reader.begun


@pytest.mark.parametrize("encode", [encode_chat, encode_responses])
def test_what_is_not_asked_for_is_not_sent(encode: Any) -> None:
    body = json.loads(
        encode(Request(turns=(Turn("user", "hi"),), tool_choice="required"), "m", None)
    )
    assert not {"max_tokens", "max_output_tokens", "temperature", "stop", "tools"} & set(body)
    assert not {"tool_choice", "response_format", "text", "priority"} & set(body)


@pytest.mark.parametrize("encode", [encode_chat, encode_responses])
@pytest.mark.parametrize("choice", ["none", "required"])
def test_a_choice_of_tools_by_its_word(encode: Any, choice: str) -> None:
    request = Request(turns=(Turn("user", "hi"),), tools=(Tool("t", "d", {}),), tool_choice=choice)
    assert json.loads(encode(request, "m", 5))["tool_choice"] == choice
