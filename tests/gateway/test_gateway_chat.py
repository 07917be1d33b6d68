"""Chat completions for a backend that does not speak them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from clawdcore.backend import Chunk, Image, Request, Tool, ToolCall, Turn, Usage
from clawdcore.errors import (
    BackendUnavailable,
    BadAnswer,
    ContextOverflow,
    EngineDead,
    GenerationFailed,
    Overloaded,
    RequestRefused,
    ServerSlow,
)

PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells it",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def test_an_answer_has_text_reason_and_usage(house: Any) -> None:
    house.rooms.fake.enqueue("Good day to you")
    answer = house.chat()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["object"] == "chat.completion"
    assert answer.json["model"] == "main/small"
    only = answer.json["choices"][0]
    assert only["message"] == {"role": "assistant", "content": "Good day to you", "refusal": None}
    assert only["finish_reason"] == "stop"
    assert answer.json["usage"] == {
        "prompt_tokens": 4,
        "completion_tokens": 4,
        "total_tokens": 8,
    }


def test_a_stream_says_who_speaks_then_words_then_why_it_ends(house: Any) -> None:
    house.rooms.fake.enqueue("Good day")
    answer = house.chat(stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, *words, last, usage, done = answer.events
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [event["choices"][0]["delta"]["content"] for event in words] == ["Good", " day"]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 6)
    assert done == "[DONE]"
    assert len({event["id"] for event in answer.events[:-1]}) == 1


def test_usage_comes_in_a_stream_only_where_asked_for(house: Any) -> None:
    assert not [e for e in house.chat(stream=True).events if "usage" in e]


def test_everything_that_is_asked_reaches_the_backend(house: Any) -> None:
    house.ask(
        "/v1/chat/completions",
        {
            "model": "small",
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is"},
                        {"type": "image_url", "image_url": {"url": PICTURE}},
                        {"type": "text", "text": "this?"},
                    ],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Bonn"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            ],
            "max_completion_tokens": 50,
            "temperature": 0.5,
            "stop": "END",
            "tools": [WEATHER],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "object"}},
            },
            "seed": 7,
        },
    )
    request: Request = house.rooms.fake.requests[0]
    assert request.turns == (
        Turn("system", "Be brief."),
        Turn("user", "What is\nthis?", (Image(b"\x89PNG", "image/png"),)),
        Turn("assistant", "", (), (ToolCall("c1", "weather", '{"city": "Bonn"}'),)),
        Turn("tool", "rain", call_id="c1"),
    )
    function: Any = WEATHER["function"]
    assert request.tools == (Tool("weather", "Tells it", function["parameters"]),)
    assert (request.model, request.tool_choice, request.stop) == ("small", "weather", ("END",))
    assert (request.max_tokens, request.temperature) == (50, 0.5)
    assert request.schema == {"type": "object"}
    assert request.key == "api:default"


def calling(house: Any) -> None:
    """Make the backend ask for two tools, after a word."""
    calls = (ToolCall("c1", "weather", '{"city":"Bonn"}'), ToolCall("c2", "weather", "{}"))

    async def generate(request: Request) -> Any:
        yield Chunk("Wait.")
        yield Chunk(calls=calls)
        yield Chunk(finish="tool_calls", usage=Usage(10, 9))

    house.rooms.fake.generate = generate


def test_calls_of_tools_come_whole(house: Any) -> None:
    calling(house)
    only = house.chat(tools=[WEATHER]).json["choices"][0]
    assert only["finish_reason"] == "tool_calls"
    assert [call["id"] for call in only["message"]["tool_calls"]] == ["c1", "c2"]
    assert only["message"]["tool_calls"][0]["function"] == {
        "name": "weather",
        "arguments": '{"city":"Bonn"}',
    }
    assert only["message"]["content"] == "Wait."


def test_calls_of_tools_come_in_a_stream_too(house: Any) -> None:
    calling(house)
    events = house.chat(tools=[WEATHER], stream=True).events
    calls = [e["choices"][0]["delta"].get("tool_calls") for e in events[:-1] if e["choices"]]
    flat = [call for each in calls if each for call in each]
    assert [(call["index"], call["id"]) for call in flat] == [(0, "c1"), (1, "c2")]
    assert events[-2]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": "x"}, "messages"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [""]}, "stop"),
        (
            {"tools": [{"type": "function", "function": {"name": "no good"}}]},
            "tools[0].function.name",
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(house: Any, change: Any, param: str) -> None:
    answer = house.chat(**{"text": "hush-hush", **change})
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error["param"] == param
    assert "hush-hush" not in answer.error["message"]
    assert house.rooms.admission.accepted == 0


def test_a_missing_model_is_said(house: Any) -> None:
    answer = house.ask("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]})
    assert (answer.status, answer.error["param"]) == (400, "model")


@pytest.mark.parametrize(
    "url", ["http://example.org/x.png", "file:///etc/passwd", "data:text/html;base64,eA=="]
)
def test_nothing_is_fetched(house: Any, url: str) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    answer = house.chat(messages=[{"role": "user", "content": [part]}])
    assert answer.status == 400
    assert "nothing is fetched" in answer.error["message"]
    assert url not in answer.error["message"]
    assert answer.error["param"].startswith("messages[0].content[0].image_url")


def test_a_picture_that_is_no_base64_is_refused(house: Any) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}
    answer = house.chat(messages=[{"role": "user", "content": [part]}])
    assert (answer.status, answer.error["code"]) == (400, "invalid_value")


ERRORS = [
    (Overloaded("Full.", retry_after=2.1), 429, "overloaded"),
    (ContextOverflow("Too long."), 400, "context_length_exceeded"),
    (RequestRefused("No.", status=422), 422, "request_refused"),
    (BackendUnavailable("Away."), 503, "model_unavailable"),
    (EngineDead("Dead."), 503, "model_unavailable"),
    (ServerSlow("Slow."), 504, "server_slow"),
    (BadAnswer("Nonsense."), 502, "bad_answer"),
    (GenerationFailed("Broke."), 502, "generation_failed"),
    (ValueError("my secret words"), 502, "generation_failed"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
def test_errors_before_the_first_word_have_their_status(
    house: Any, error: Exception, status: int, code: str, stream: bool
) -> None:
    house.rooms.fake.enqueue(error)
    answer = house.chat(stream=stream)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert "secret" not in answer.error["message"]
    assert ("retry-after" in answer.headers) == (status in (429, 503))


def broken(house: Any, error: Exception | None) -> None:
    async def generate(request: Request) -> Any:
        yield Chunk("Once")
        if error is not None:
            raise error

    house.rooms.fake.generate = generate


@pytest.mark.parametrize("error", [GenerationFailed("Broke."), None])
def test_a_stream_that_breaks_ends_with_an_error_and_is_not_done(
    house: Any, error: Exception | None
) -> None:
    broken(house, error)
    events = house.chat(stream=True).events
    assert events[-2]["choices"][0]["delta"] == {"content": "Once"}
    assert events[-1]["error"]["code"] == "generation_failed"


def test_an_answer_that_breaks_unseen_is_an_error(house: Any) -> None:
    broken(house, GenerationFailed("Broke."))
    assert house.chat().status == 502


def test_an_unknown_model_is_not_found_and_not_quoted(house: Any) -> None:
    answer = house.chat(model="my-secret-model")
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
    assert "secret" not in answer.error["message"]
    assert "main/small" in answer.error["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_the_model_gave_up_is_no_answer(house: Any, stream: bool) -> None:
    async def generate(request: Request) -> Any:
        yield Chunk("Once", "abort")

    house.rooms.fake.generate = generate
    answer = house.chat(stream=stream)
    assert (answer.status, answer.error["code"]) == (502, "generation_failed")
