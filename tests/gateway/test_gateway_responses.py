"""The responses API for a backend that does not speak it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from clawdcore.backend import Chunk, Image, Request, Tool, ToolCall, Turn, Usage
from clawdcore.errors import GenerationFailed

PICTURE = "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8").decode()
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}}


def calling(house: Any, text: str = "") -> None:
    async def generate(request: Request) -> Any:
        if text:
            yield Chunk(text)
        yield Chunk(calls=(ToolCall("c1", "weather", '{"a":1}'),))
        yield Chunk(finish="tool_calls", usage=Usage(10, 9))

    house.rooms.fake.generate = generate


def test_an_answer_is_a_completed_response(house: Any) -> None:
    house.rooms.fake.enqueue("Good day")
    answer = house.responses(instructions="Be kind.", temperature=1)
    assert answer.status == 200
    response = answer.json
    assert (response["object"], response["status"]) == ("response", "completed")
    assert response["output"][0]["content"][0]["text"] == "Good day"
    assert response["usage"]["total_tokens"] == 8
    assert (response["store"], response["instructions"]) == (False, "Be kind.")
    assert house.rooms.fake.requests[0].turns == (
        Turn("system", "Be kind."),
        Turn("user", "Hello you"),
    )


def test_the_events_of_a_stream_come_in_their_order(house: Any) -> None:
    house.rooms.fake.enqueue("Good day")
    answer = house.responses(stream=True)
    events = answer.events
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert events[6]["text"] == "Good day"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Good day"
    names = [x[7:] for x in answer.body.decode().splitlines() if x.startswith("event: ")]
    assert names == [event["type"] for event in events]


def test_a_call_follows_the_text_in_a_stream(house: Any) -> None:
    calling(house, "Wait.")
    events = house.responses(stream=True, tools=[WEATHER]).events
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[-5:] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert events[-5]["output_index"] == 1
    assert [item["type"] for item in events[-1]["response"]["output"]] == [
        "message",
        "function_call",
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_alone_comes_without_a_message(house: Any, stream: bool) -> None:
    calling(house)
    answer = house.responses(stream=stream, tools=[WEATHER])
    response = answer.events[-1]["response"] if stream else answer.json
    (item,) = response["output"]
    assert (item["type"], item["call_id"], item["arguments"]) == ("function_call", "c1", '{"a":1}')


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_was_too_long_is_incomplete(house: Any, stream: bool) -> None:
    async def generate(request: Request) -> Any:
        yield Chunk("Once upon", "length", Usage(1, 2))

    house.rooms.fake.generate = generate
    answer = house.responses(stream=stream)
    response = answer.events[-1]["response"] if stream else answer.json
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"


def test_everything_that_is_asked_reaches_the_backend(house: Any) -> None:
    house.responses(
        text=[
            {"role": "user", "content": [{"type": "input_text", "text": "See"}]},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_image", "image_url": PICTURE}],
            },
            {"type": "reasoning", "summary": []},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Hm."}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "rain"},
            {
                "type": "function_call_output",
                "call_id": "c2",
                "output": [{"type": "input_text", "text": "sun"}],
            },
        ],
        tools=[WEATHER],
        tool_choice={"type": "function", "name": "weather"},
        max_output_tokens=40,
    )
    request: Request = house.rooms.fake.requests[0]
    assert request.turns == (
        Turn("user", "See"),
        Turn("user", "", (Image(b"\xff\xd8", "image/jpeg"),)),
        Turn(
            "assistant",
            "Hm.",
            (),
            (ToolCall("c1", "weather", "{}"), ToolCall("c2", "weather", "{}")),
        ),
        Turn("tool", "rain", call_id="c1"),
        Turn("tool", "sun", call_id="c2"),
    )
    assert request.tools == (Tool("weather", "", {"type": "object"}),)
    assert (request.tool_choice, request.max_tokens) == ("weather", 40)


def test_a_schema_reaches_the_backend_and_is_repeated(house: Any) -> None:
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object"}}
    answer = house.ask(
        "/v1/responses", {"model": "small", "input": "Hello", "text": {"format": form}}
    )
    assert house.rooms.fake.requests[0].schema == {"type": "object"}
    assert answer.json["text"]["format"] == form


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"type": "function_call", "name": "x"}]}, "input[0]"),
        ({"input": [{"type": "function_call_output", "call_id": "x"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": "video"}]}]}, "input[0].content[0].type"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(house: Any, change: Any, param: str) -> None:
    answer = house.ask("/v1/responses", {"model": "small", "input": "hush", **change})
    assert (answer.status, answer.error["param"]) == (400, param)
    assert "hush" not in answer.error["message"]


def test_a_stream_that_breaks_ends_with_an_error_event(house: Any) -> None:
    async def generate(request: Request) -> Any:
        yield Chunk("Once")
        raise GenerationFailed("Broke.")

    house.rooms.fake.generate = generate
    last = house.responses(stream=True).events[-1]
    assert (last["type"], last["code"]) == ("error", "generation_failed")
    assert last["sequence_number"] == 5
