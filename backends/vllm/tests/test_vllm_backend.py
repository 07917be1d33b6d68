from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from clawdcore import (
    BackendUnavailable,
    Chunk,
    Image,
    ModelConfig,
    ModelNotFound,
    Overloaded,
    Priority,
    Request,
    Tool,
    ToolCall,
    Turn,
    Usage,
)


def test_an_answer_streams_and_ends_with_its_finish_and_usage(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            chunks = [chunk async for chunk in backend.generate(kit.ASK)]
        assert "".join(chunk.text for chunk in chunks) == "Hi there"
        assert chunks[-1] == Chunk(finish="stop", usage=Usage(7, 3))
        assert [chunk.finish for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
        [call] = server.posts
        assert call.path == "/v1/chat/completions"
        assert call.json["model"] == "m"
        assert call.json["stream"] is True
        assert call.json["stream_options"] == {"include_usage": True}

    kit.run(story)


def test_text_is_handed_on_before_the_answer_ends(kit: Any) -> None:
    async def story() -> None:
        more = asyncio.Event()

        async def slowly(call: Any) -> None:
            await call.begin()
            await call.event({"choices": [{"index": 0, "delta": {"content": "first"}}]})
            await more.wait()
            await call.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
            await call.event(b"[DONE]")
            await call.end()

        async with kit.Wire() as server, kit.backend(server) as backend:
            server.answers.append(slowly)
            answer = backend.generate(kit.ASK)
            assert (await anext(answer)).text == "first"
            more.set()
            assert [chunk.finish async for chunk in answer] == ["length"]

    kit.run(story)


@pytest.mark.parametrize("api", ["openai-completions", "openai-responses"])
def test_a_request_says_all_that_it_holds(kit: Any, api: str) -> None:
    request = Request(
        turns=(
            Turn("system", "Be brief."),
            Turn("user", "What is this?", images=(Image(b"\x89PNG", "image/png"),)),
            Turn("assistant", "", calls=(ToolCall("c1", "look", '{"at":1}'),)),
            Turn("tool", "a cat", call_id="c1"),
        ),
        model="other",
        max_tokens=50,
        temperature=0.5,
        stop=("END",),
        tools=(Tool("look", "Look closer.", {"type": "object", "properties": {}}),),
        tool_choice="look",
        schema={"type": "object"},
    )
    picture = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()

    async def done(call: Any) -> None:
        if api == "openai-completions":
            await call.answer("x")
            return
        await call.begin()
        await call.event({"type": "response.completed", "response": {"status": "completed"}})
        await call.end()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, api=api) as backend:
            server.always = done
            await kit.text(backend, request)
        body = server.posts[0].json
        assert body["model"] == "other"
        assert body["temperature"] == 0.5
        assert body["stop"] == ["END"]
        if api == "openai-completions":
            assert body["max_tokens"] == 50
            assert body["messages"][1]["content"] == [
                {"type": "image_url", "image_url": {"url": picture}},
                {"type": "text", "text": "What is this?"},
            ]
            assert body["messages"][2]["tool_calls"][0]["function"]["name"] == "look"
            assert body["messages"][3]["tool_call_id"] == "c1"
            assert body["tool_choice"] == {"type": "function", "function": {"name": "look"}}
            assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
        else:
            assert server.posts[0].path == "/v1/responses"
            assert body["max_output_tokens"] == 50
            assert body["store"] is False
            assert body["input"][1]["content"] == [
                {"type": "input_image", "image_url": picture, "detail": "auto"},
                {"type": "input_text", "text": "What is this?"},
            ]
            assert body["input"][2]["type"] == "function_call"
            assert body["input"][3] == {
                "type": "function_call_output",
                "call_id": "c1",
                "output": "a cat",
            }
            assert body["tool_choice"] == {"type": "function", "name": "look"}
            assert body["text"]["format"]["schema"] == {"type": "object"}

    kit.run(story)


def test_a_large_picture_goes_through_whole(kit: Any) -> None:
    data = bytes(range(256)) * 12_000  # 3 MB, above what aiohttp sends from plain bytes
    request = Request(turns=(Turn("user", "", images=(Image(data),)),))

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            assert await kit.text(backend, request) == "Hi there"
        url = server.posts[0].json["messages"][0]["content"][0]["image_url"]["url"]
        assert base64.b64decode(url.partition(",")[2]) == data

    kit.run(story)


def test_the_responses_api_streams_text_calls_and_usage(kit: Any) -> None:
    async def answer(call: Any) -> None:
        await call.begin()
        item = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":2}'}
        for event in (
            {"type": "response.created", "response": {"status": "in_progress", "output": []}},
            {"type": "response.output_text.delta", "delta": "Let me "},
            {"type": "response.output_text.delta", "delta": "see"},
            {"type": "response.function_call_arguments.delta", "delta": '{"at"'},
            {"type": "response.output_item.done", "item": item},
            {
                "type": "response.completed",
                "response": {
                    "status": "completed",
                    "output": [item],
                    "usage": {"input_tokens": 9, "output_tokens": 4},
                },
            },
        ):
            await call.event(event)
        await call.end()

    async def story() -> None:
        async with (
            kit.Wire() as server,
            kit.backend(server, api="openai-responses") as backend,
        ):
            server.answers.append(answer)
            chunks = [chunk async for chunk in backend.generate(kit.ASK)]
        assert "".join(chunk.text for chunk in chunks) == "Let me see"
        call = ToolCall("c1", "look", '{"at":2}')
        assert chunks[-1] == Chunk(finish="tool_calls", usage=Usage(9, 4), calls=(call,))

    kit.run(story)


def test_the_key_is_sent_and_shown_nowhere(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, api_key="sk-hidden") as backend:
            await kit.text(backend)
            assert "sk-hidden" not in repr(backend._servers)
        assert server.posts[0].headers["authorization"] == "Bearer sk-hidden"

    kit.run(story)


def test_the_configured_limit_of_tokens_holds(kit: Any) -> None:
    models = [ModelConfig(id="m", context_length=1000, max_output_tokens=64)]

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, models=models) as backend:
            [info] = await backend.models()
            assert (info.context_length, info.max_output_tokens) == (1000, 64)
            await kit.text(backend)
            await kit.text(backend, Request(turns=kit.ASK.turns, max_tokens=10))
            await kit.text(backend, Request(turns=kit.ASK.turns, max_tokens=500))
        assert [call.json["max_tokens"] for call in server.posts] == [64, 10, 64]

    kit.run(story)


def test_before_the_start_and_after_the_end_it_is_unavailable(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            backend = kit.made(server)
            with pytest.raises(BackendUnavailable, match="not started"):
                await kit.text(backend)
            assert (await backend.load()).running == 0
            await backend.close()
            await backend.start()
            await backend.start()
            assert await kit.text(backend) == "Hi there"
            await backend.close()
            await backend.close()
            with pytest.raises(BackendUnavailable, match="not started"):
                await kit.text(backend)

    kit.run(story)


def test_a_server_that_is_not_there_fails_the_start_with_the_fix(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            backend = kit.made(server)
        with pytest.raises(BackendUnavailable, match=r"can't be reached.*vllm\.baseUrl"):
            await backend.start()
        await backend.close()

    kit.run(story)


@pytest.mark.parametrize(
    ("status", "models", "kind", "text"),
    [
        (401, {}, BackendUnavailable, r"refuses the key.*vllm\.apiKey"),
        (200, {"models": []}, BackendUnavailable, "no form of OpenAI's API"),
        (200, {"data": []}, ModelNotFound, "lists no model"),
        (302, {}, BackendUnavailable, "redirects"),
    ],
)
def test_a_start_says_what_is_wrong_with_the_server(
    kit: Any, status: int, models: Any, kind: type[Exception], text: str
) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            server.models_status, server.models = status, models
            backend = kit.made(server)
            with pytest.raises(kind, match=text):
                await backend.start()

    kit.run(story)


def test_one_server_that_answers_is_enough_to_start(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            async with kit.Wire() as gone:
                backend = kit.made(gone, server)
            await backend.start()
            for _ in range(5):
                assert await kit.text(backend) == "Hi there"
            await backend.close()

    kit.run(story)


def test_the_list_of_models_outlives_the_server(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            assert [model.id for model in await backend.models()] == ["m"]
            await server.down()
            backend._known_at = float("-inf")
            assert [model.id for model in await backend.models()] == ["m"]

    kit.run(story)


def test_closing_an_answer_closes_the_call(kit: Any) -> None:
    async def forever(call: Any) -> None:
        await call.begin()
        await call.event({"choices": [{"index": 0, "delta": {"content": "first"}}]})
        await call.hang()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = forever
            answer = backend.generate(kit.ASK)
            await anext(answer)
            await answer.aclose()
            await server.posts[0].gone.wait()
            assert (await backend.load()).running == 0

    kit.run(story)


def test_cancelling_before_the_first_byte_closes_the_call(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = lambda call: call.hang()
            task = asyncio.create_task(kit.text(backend))
            await kit.until(lambda: bool(server.posts))
            assert (await backend.load()).running == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.posts[0].gone.wait()
            assert (await backend.load()).running == 0

    kit.run(story)


def test_closing_the_backend_ends_what_runs(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = lambda call: call.hang()
            task = asyncio.create_task(kit.text(backend))
            await kit.until(lambda: bool(server.posts))
            await backend.close()
            with pytest.raises(BackendUnavailable):
                await task

    kit.run(story)


def test_connections_are_kept_and_used_again(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options={"metrics": False}) as backend:
            for _ in range(20):
                await kit.text(backend)
        assert len(server.posts) == 20
        assert server.connections < 10

    kit.run(story)


def test_a_hundred_at_once_all_answer_and_nothing_is_left(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            everyone = asyncio.Event()

            async def together(call: Any) -> None:
                if len(server.posts) == 100:
                    everyone.set()
                await everyone.wait()  # fails if fewer than all were let through at once
                await call.answer("Hi")

            server.always = together
            texts = await asyncio.gather(*(kit.text(backend) for _ in range(100)))
            assert texts == ["Hi"] * 100
            assert (await backend.load()).running == 0
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await kit.until(lambda: all(task.done() for task in others))

    kit.run(story)


def test_beyond_its_bound_it_refuses_and_says_when(kit: Any) -> None:
    async def story() -> None:
        async with (
            kit.Wire() as server,
            kit.backend(server, options={"maxConcurrent": 1}) as backend,
        ):
            free = asyncio.Event()

            async def later(call: Any) -> None:
                await free.wait()
                await call.answer("Hi")

            server.always = later
            first = asyncio.create_task(kit.text(backend))
            await kit.until(lambda: bool(server.posts))
            with pytest.raises(Overloaded, match="holds 1 requests") as caught:
                await kit.text(backend)
            assert caught.value.retry_after >= 1
            assert (await backend.load()).capacity == 1
            free.set()
            assert await first == "Hi"
            assert await kit.text(backend) == "Hi"

    kit.run(story)


@pytest.mark.parametrize(
    ("info", "option", "sent"),
    [
        ({"vllm_config": {"scheduler_config": {"policy": "priority"}}}, {}, "3"),
        ({"vllm_config": {"scheduler_config": {"policy": "fcfs"}}}, {}, None),
        (None, {}, "3"),
        (None, {"priority": False}, None),
        ({"vllm_config": {"scheduler_config": {"policy": "fcfs"}}}, {"priority": True}, "3"),
    ],
)
def test_priority_is_sent_where_it_may_act(
    kit: Any, info: Any, option: dict[str, bool], sent: str | None
) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            server.info = info
            async with kit.backend(server, options=option) as backend:
                request = Request(turns=kit.ASK.turns, priority=Priority.MEDIA)
                await kit.text(backend, request)
            assert server.posts[0].headers.get("x-vllm-priority") == sent

    kit.run(story)


def test_under_fcfs_it_says_so_once(kit: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            server.info = {"vllm_config": {"scheduler_config": {"policy": "fcfs"}}}
            async with kit.backend(server) as backend:
                await kit.text(backend)
                await kit.text(backend)

    kit.run(story)
    assert caplog.text.count("--scheduling-policy priority") == 1
    assert "fcfs" in caplog.text
