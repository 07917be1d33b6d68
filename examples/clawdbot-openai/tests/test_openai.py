from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp import web
from clawdcore import (
    Backend,
    BackendError,
    BackendUnavailable,
    BadAnswer,
    Chunk,
    ContextOverflow,
    GenerationFailed,
    ModelConfig,
    ModelNotFound,
    Overloaded,
    ProviderConfig,
    Request,
    RequestRefused,
    ServerSlow,
    StreamCut,
    Tool,
    TooLate,
    ToolCall,
    Turn,
    Usage,
)
from clawdcore.testing import BackendConformance
from pydantic import SecretStr

from clawdbot_openai import make_backend
from clawdbot_openai.backend import HttpBackend, within
from clawdbot_openai.wire import Events

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
NAME = "openai"
HELLO = Request(turns=(Turn("user", "hello"),))
LIMIT = 60.0
"""Seconds of one test; far more than any needs."""


def provider(*urls: str, **options: Any) -> ProviderConfig:
    key = SecretStr("k-1")
    return ProviderConfig(name=NAME, base_urls=list(urls), api_key=key, options=options)


async def listed(request: web.Request) -> web.StreamResponse:
    assert request.headers["Authorization"] == "Bearer k-1"
    return web.json_response({"data": [{"id": "small", "max_model_len": 2048}, {"id": "big"}]})


@asynccontextmanager
async def serving(
    answer: Answer, models: Answer = listed, chosen: tuple[ModelConfig, ...] = (), **options: Any
) -> AsyncIterator[HttpBackend]:
    """A server that answers chats with ``answer``, and a started backend that asks it."""
    app = web.Application()
    app.router.add_get("/v1/models", models)
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        config = provider(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", **options)
        backend = make_backend(config.model_copy(update={"models": list(chosen)}))
        assert isinstance(backend, HttpBackend)
        try:
            await backend.start()
            yield backend
        finally:
            await backend.close()
    finally:
        await runner.cleanup()


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, LIMIT))


async def stream(request: web.Request, *events: Any) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in events:
        data = event if isinstance(event, bytes) else msgspec.json.encode(event)
        await response.write(b"data: " + data + b"\n\n")
    return response


def says(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}


def status(code: int, body: Any = None, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=code, headers=given)

    return answer


async def whole(request: web.Request) -> web.StreamResponse:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    return await stream(request, says("good "), says("day", "stop"), usage, b"[DONE]")


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def text_of(backend: Backend, request: Request = HELLO) -> str:
    return "".join([chunk.text async for chunk in backend.generate(request)])


def test_an_answer_comes_in_pieces_and_says_what_it_took() -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        return await whole(request)

    async def test() -> None:
        async with serving(answer) as backend:
            wanted = msgspec.structs.replace(HELLO, stop=("X",), temperature=0.5, max_tokens=9)
            chunks = [chunk async for chunk in backend.generate(wanted)]
            assert [chunk.text for chunk in chunks] == ["good ", "day", ""]
            assert (chunks[-1].finish, chunks[-1].usage) == ("stop", Usage(3, 2))
            assert asked[0]["messages"] == [{"role": "user", "content": "hello"}]
            assert (asked[0]["model"], asked[0]["max_tokens"]) == ("small", 9)
            assert (asked[0]["stop"], asked[0]["temperature"]) == (["X"], 0.5)

    run(test())


def test_its_models_are_the_servers_or_those_that_the_owner_names() -> None:
    async def test() -> None:
        async with serving(whole) as backend:
            models = await backend.models()
            assert [(model.id, model.context_length) for model in models] == [
                ("small", 2048),
                ("big", 4096),
            ]
        own = ModelConfig(id="big", context_length=8192, max_output_tokens=100)
        async with serving(whole, chosen=(own,)) as backend:
            (model,) = await backend.models()
            assert (model.id, model.context_length, model.max_output_tokens) == ("big", 8192, 100)

    run(test())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(429, Retry_After="7"), Overloaded),
        (status(503), Overloaded),
        (status(400, {"error": {"code": "context_length_exceeded"}}), ContextOverflow),
        (status(400, {"error": {"message": "hello"}}), RequestRefused),
        (status(401), BackendUnavailable),
        (status(404), ModelNotFound),
        (status(500), BackendUnavailable),
    ],
)
def test_a_refusal_has_its_meaning_and_quotes_nobody(
    answer: Answer, error: type[BackendError]
) -> None:
    async def test() -> None:
        async with serving(answer) as backend:
            with pytest.raises(error) as raised:
                await text_of(backend)
            assert "hello" not in str(raised.value)
            if isinstance(raised.value, Overloaded):
                assert raised.value.retry_after in (5.0, 7.0)
            assert (await backend.load()).running == 0

    run(test())


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([b"nonsense"], BadAnswer),
        ([{"error": {"message": "hello"}}], BadAnswer),
        ([], BackendUnavailable),
        ([says("good ")], StreamCut),
        ([says("good "), b"nonsense"], GenerationFailed),
    ],
)
def test_a_broken_stream_is_told_from_a_whole_one(
    events: list[Any], error: type[BackendError]
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, *events)

    async def test() -> None:
        async with serving(answer) as backend:
            with pytest.raises(error):
                await text_of(backend)

    run(test())


def test_more_than_its_capacity_is_refused_at_once() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await stream(request, says("good "))
        return await silent(request)

    async def test() -> None:
        async with (
            serving(slow, capacity=1) as backend,
            aclosing(backend.generate(HELLO)) as first,
        ):
            assert (await anext(first)).text == "good "
            assert (await backend.load()).running == 1
            with pytest.raises(Overloaded):
                await text_of(backend)

    run(test())


def test_closing_an_answer_ends_the_work_on_the_server() -> None:
    left = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        try:
            await stream(request, says("good "))
            return await silent(request)
        finally:
            left.set()

    async def test() -> None:
        async with serving(endless) as backend:
            async with aclosing(backend.generate(HELLO)) as chunks:
                await anext(chunks)
            await left.wait()
            assert (await backend.load()).running == 0

    run(test())


def test_a_deadline_ends_it_before_and_after_the_first_word() -> None:
    async def nothing() -> AsyncIterator[Chunk]:
        await asyncio.Event().wait()
        yield Chunk()

    async def test() -> None:
        now = asyncio.get_running_loop().time()
        async with serving(silent) as backend:
            with pytest.raises(TooLate):
                await text_of(backend, msgspec.structs.replace(HELLO, deadline=now))
        with pytest.raises(GenerationFailed):
            await within(now, nothing(), began=True)

    run(test())


def test_it_starts_only_with_a_server_that_has_a_model() -> None:
    async def test() -> None:
        for models, error in (
            (status(200, {"data": []}), BackendUnavailable),
            (status(200, []), BadAnswer),
            (status(401), BackendUnavailable),
        ):
            with pytest.raises(error):
                async with serving(whole, models):
                    raise AssertionError
        with pytest.raises(BackendUnavailable, match="baseUrl"):
            await make_backend(provider("http://127.0.0.1:1/v1")).start()

    run(test())


def test_two_starts_at_once_are_both_ready_when_they_return() -> None:
    async def test() -> None:
        async with serving(whole) as backend:
            await backend.close()
            starts = [asyncio.create_task(backend.start()) for _ in range(2)]
            backend._models.clear()
            for start in asyncio.as_completed(starts):
                await start
                assert await backend.models()

    run(test())


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def test() -> None:
        async with serving(silent) as backend:
            assert backend._client is not None
            # Of the answer alone: a busy machine may take its time to connect.
            backend._client.timeout = httpx.Timeout(None, read=0.05)
            with pytest.raises(ServerSlow, match="silence"):
                await text_of(backend)
            assert (await backend.load()).running == 0

    run(test())


def test_it_can_be_closed_in_any_state() -> None:
    async def test() -> None:
        backend = make_backend(provider("http://127.0.0.1:1/v1"))
        await backend.close()
        with pytest.raises(BackendUnavailable):
            await text_of(backend)
        async with serving(whole) as started:
            await started.close()
            await started.close()

    run(test())


def test_wrong_settings_are_told_with_their_place() -> None:
    with pytest.raises(BackendError, match=r"options: capacity: .*Options: capacity"):
        make_backend(provider("http://127.0.0.1:1/v1", capacity=0))
    with pytest.raises(BackendError, match=r"has 0 addresses.*baseUrl"):
        make_backend(provider())


def test_a_tool_is_offered_and_its_call_comes_whole() -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        first = {"index": 0, "id": "c1", "function": {"name": "rate", "arguments": '{"of": '}}
        rest = {"index": 0, "function": {"arguments": '"eur"}'}}
        events = [{"choices": [{"delta": {"tool_calls": [piece]}}]} for piece in (first, rest)]
        end = {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}
        return await stream(request, *events, end, b"[DONE]")

    async def test() -> None:
        async with serving(answer, tools=True, extraBody={"top_k": 5}) as backend:
            assert (await backend.models())[0].tools
            call = ToolCall("c0", "rate", '{"of": "usd"}')
            turns = (
                Turn("user", "rates?"),
                Turn("assistant", "", calls=(call,)),
                Turn("tool", "1.0", call_id="c0"),
            )
            tool = Tool("rate", "Look up a rate", {"type": "object"})
            wanted = Request(turns=turns, tools=(tool,), tool_choice="rate")
            *_, last = [chunk async for chunk in backend.generate(wanted)]
            assert last.calls == (ToolCall("c1", "rate", '{"of": "eur"}'),)
            assert last.finish == "tool_calls"
        [body] = asked
        assert body["top_k"] == 5
        assert body["tools"][0]["function"]["name"] == "rate"
        assert body["tool_choice"]["function"]["name"] == "rate"
        assert body["messages"][1]["tool_calls"][0]["id"] == "c0"
        assert body["messages"][2]["tool_call_id"] == "c0"

    run(test())


def test_calls_without_an_end_are_given_up() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        pieces = [{"index": n, "function": {"arguments": "{"}} for n in range(100)]
        events = [{"choices": [{"delta": {"tool_calls": [piece]}}]} for piece in pieces]
        return await stream(request, *events)

    async def test() -> None:
        async with serving(answer) as backend:
            with pytest.raises(BadAnswer):
                await text_of(backend)

    run(test())


def test_headers_are_sent_and_never_shown() -> None:
    seen: list[str] = []

    async def models(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers["OpenAI-Project"])
        return await listed(request)

    async def test() -> None:
        async with serving(whole, models, headers={"OpenAI-Project": "p-1"}) as backend:
            assert "p-1" not in repr(backend._options)

    run(test())
    assert seen == ["p-1"]


class TestConformance(BackendConformance):
    """What every backend must do, against a server that counts."""

    patience = 30.0

    @asynccontextmanager
    async def surroundings(self) -> AsyncIterator[None]:
        async def count(request: web.Request) -> web.StreamResponse:
            await request.json()
            words = [says(f"{word} ") for word in ("one", "two", "three")]
            response = await stream(request, *words)
            for event in (says("four", "stop"), b"[DONE]"):
                await asyncio.sleep(0.01)
                data = event if isinstance(event, bytes) else msgspec.json.encode(event)
                await response.write(b"data: " + data + b"\n\n")
            return response

        async with serving(count) as running:
            self.backend = lambda: make_backend(running._provider)
            yield


def test_events_may_be_cut_anywhere() -> None:
    data = 'data: {"a": "\u2028 \u4f60"}\n\n: ping\n\ndata: [DONE]\n\n'.encode()
    for size in range(1, len(data) + 1):
        events = Events()
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        found = [event for part in parts for event in events.feed(part)]
        assert found == ['{"a": "\u2028 \u4f60"}'.encode(), b"[DONE]"]
