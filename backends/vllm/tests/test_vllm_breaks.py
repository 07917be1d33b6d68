"""Each way in which a server can fail, and the error that it becomes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import (
    BackendError,
    BackendUnavailable,
    BadAnswer,
    ContextOverflow,
    EngineDead,
    GenerationFailed,
    ModelNotFound,
    Overloaded,
    Request,
    RequestRefused,
    ServerSlow,
    StreamCut,
)

SECRET = "the secret word is xyzzy"
ONCE = {"retries": 0}


def told(message: str, **others: Any) -> dict[str, Any]:
    return {"error": {"message": f"{message} {SECRET}", **others}}


def text_event(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def broken(kit: Any, answer: Any, *, api: str = "openai-completions", **options: Any) -> Any:
    """The error of one request, and the text that came before it."""
    caught: list[BackendError] = []
    texts: list[str] = []

    async def story() -> None:
        async with (
            kit.Wire() as server,
            kit.backend(server, api=api, options={**ONCE, **options}) as backend,
        ):
            server.always = answer
            try:
                async for chunk in backend.generate(kit.ASK):
                    texts.append(chunk.text)
                    server.posts[-1].seen.set()
            except BackendError as error:
                caught.append(error)
            assert (await backend.load()).running == 0

    kit.run(story)
    assert caught, "it did not fail"
    assert SECRET not in str(caught[0])
    assert "\n" not in str(caught[0])
    return caught[0], "".join(texts)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, told("busy"), Overloaded),
        (429, told("slow down"), Overloaded),
        (500, told("EngineCore encountered an issue."), EngineDead),
        (503, told("EngineDeadError"), EngineDead),
        (500, told("oops"), BackendUnavailable),
        (400, told("This model's maximum context length is 2048 tokens."), ContextOverflow),
        (400, told("too long", code="context_length_exceeded"), ContextOverflow),
        (404, told("The model `m` does not exist.", param="model"), ModelNotFound),
        (404, {"detail": "Not Found"}, RequestRefused),
        (400, told("bad"), RequestRefused),
        (422, told("bad"), RequestRefused),
        (501, told("The model does not support that API"), ModelNotFound),
        (401, told("no"), BackendUnavailable),
        (403, told("no"), BackendUnavailable),
        (302, b"", BadAnswer),
    ],
)
def test_a_status_is_its_named_error(kit: Any, status: int, body: Any, kind: type) -> None:
    error, text = broken(kit, lambda call: call.send(status, body, Location="http://127.0.0.1:1/"))
    assert type(error) is kind
    assert text == ""
    assert error.fix
    if isinstance(error, RequestRefused):
        assert error.status == status
    if status in (401, 403):
        assert "apiKey" in error.fix


@pytest.mark.parametrize(("header", "seconds"), [({"Retry_After": "7"}, 7.0), ({}, 1.0)])
def test_a_full_server_says_when_to_come_back(
    kit: Any, header: dict[str, str], seconds: float
) -> None:
    error, _ = broken(kit, lambda call: call.send(503, told("busy"), **header))
    assert error.retry_after == seconds


def test_a_connection_that_is_refused(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options=ONCE) as backend:
            await server.down()
            with pytest.raises(BackendUnavailable, match=r"can't be reached.*baseUrl") as caught:
                await kit.text(backend)
            assert type(caught.value) is BackendUnavailable

    kit.run(story)


async def _reset(call: Any) -> None:
    call.abort()


async def _closed(call: Any) -> None:
    call.close()


async def _headers_only(call: Any) -> None:
    await call.begin()
    call.close()


@pytest.mark.parametrize("answer", [_reset, _closed, _headers_only])
def test_a_connection_that_ends_before_the_answer(kit: Any, answer: Any) -> None:
    error, _ = broken(kit, answer)
    assert type(error) is BackendUnavailable
    assert "closed the connection" in str(error)


@pytest.mark.parametrize("end", ["abort", "close", "end"])
def test_a_stream_that_ends_in_the_middle(kit: Any, end: str) -> None:
    async def half(call: Any) -> None:
        await call.begin()
        await call.event(text_event("half"))
        if end == "end":
            await call.end()
        else:
            await call.seen.wait()  # a reset discards what nobody has read yet
            getattr(call, end)()

    error, text = broken(kit, half)
    assert type(error) is StreamCut
    assert text == "half"


@pytest.mark.parametrize("api", ["openai-completions", "openai-responses"])
@pytest.mark.parametrize(
    "data", [b"data: {not json\n\n", b"data: [1]\n\n", b'data: {"choices": 3, "type": 4}\n\n']
)
def test_garbage_before_the_text_is_a_bad_answer(kit: Any, api: str, data: bytes) -> None:
    async def garbage(call: Any) -> None:
        await call.begin()
        await call.piece(data)
        await call.end()

    error, _ = broken(kit, garbage, api=api)
    assert type(error) is BadAnswer


def test_what_is_no_http_is_a_bad_answer(kit: Any) -> None:
    error, _ = broken(kit, lambda call: call.raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"))
    assert type(error) is BadAnswer


def test_garbage_after_the_text_is_a_failed_generation(kit: Any) -> None:
    async def garbage(call: Any) -> None:
        await call.begin()
        await call.event(text_event("half"))
        await call.event(b"{not json")
        await call.hang()

    error, _ = broken(kit, garbage)
    assert type(error) is GenerationFailed


def test_a_line_without_end_is_bounded(kit: Any) -> None:
    async def endless(call: Any) -> None:
        await call.begin()
        for _ in range(40):
            await call.piece(b"x" * 65536)
        await call.hang()

    error, _ = broken(kit, endless)
    assert type(error) is BadAnswer


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (told("EngineCore encountered an issue.", code=500), EngineDead),
        (told("busy", code=503), Overloaded),
        (told("oops", code=500), BackendUnavailable),
        (told("oops"), BackendUnavailable),
        (told("maximum context length", code=400), ContextOverflow),
    ],
)
def test_an_error_event_before_the_text(kit: Any, event: Any, kind: type) -> None:
    async def failing(call: Any) -> None:
        await call.begin()
        await call.event(event)
        await call.event(b"[DONE]")
        await call.end()

    error, _ = broken(kit, failing)
    assert type(error) is kind


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.failed", "response": {"error": {"code": "server_error"}}},
        {"type": "error", "code": "server_error", "message": SECRET},
    ],
)
def test_the_responses_api_has_errors_of_its_own(kit: Any, event: Any) -> None:
    async def failing(call: Any) -> None:
        await call.begin()
        await call.event(event)
        await call.end()

    error, _ = broken(kit, failing, api="openai-responses")
    assert type(error) is BackendUnavailable


def test_an_error_event_after_the_text_is_a_failed_generation(kit: Any) -> None:
    async def failing(call: Any) -> None:
        await call.begin()
        await call.event(text_event("half"))
        await call.event(told("EngineCore encountered an issue.", code=500))
        await call.end()

    error, _ = broken(kit, failing)
    assert type(error) is GenerationFailed


def test_headers_that_do_not_come_are_a_slow_server(kit: Any) -> None:
    error, _ = broken(kit, lambda call: call.hang(), headersTimeout=0.2)
    assert type(error) is ServerSlow
    assert "headersTimeout" in error.fix


def test_silence_before_the_text_is_a_slow_server(kit: Any) -> None:
    async def silent(call: Any) -> None:
        await call.begin()
        await call.hang()

    error, _ = broken(kit, silent, idleTimeout=0.2)
    assert type(error) is ServerSlow


def test_silence_in_the_middle_is_a_failed_generation(kit: Any) -> None:
    async def silent(call: Any) -> None:
        await call.begin()
        await call.event(text_event("half"))
        await call.hang()

    error, text = broken(kit, silent, idleTimeout=1.5)
    assert type(error) is GenerationFailed
    assert text == "half"


def test_an_answer_that_does_not_stream_is_a_bad_one(kit: Any) -> None:
    whole = {"choices": [{"message": {"content": SECRET}}]}
    error, _ = broken(kit, lambda call: call.send(200, whole))
    assert type(error) is BadAnswer
    assert "no stream of events" in str(error)


def test_a_refusal_that_never_ends_is_judged_by_its_status(kit: Any) -> None:
    async def endless(call: Any) -> None:
        await call.raw(b"HTTP/1.1 503 X\r\nContent-Length: 1000000\r\n\r\n")
        await call.hang()

    error, _ = broken(kit, endless)
    assert type(error) is Overloaded


def test_a_compressed_answer_is_not_unpacked(kit: Any) -> None:
    error, _ = broken(kit, lambda call: call.send(200, b"\x1f\x8b", Content_Encoding="gzip"))
    assert type(error) is BadAnswer


def test_the_deadline_before_the_first_token_is_a_slow_server(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = lambda call: call.hang()
            deadline = asyncio.get_running_loop().time() + 0.2
            with pytest.raises(ServerSlow, match="deadline"):
                await kit.text(backend, Request(turns=kit.ASK.turns, deadline=deadline))
            await server.posts[0].gone.wait()
            assert len(server.posts) == 1
            assert (await backend.load()).replicas[0].up

    kit.run(story)


def test_the_deadline_in_the_middle_ends_the_answer_with_abort(kit: Any) -> None:
    async def half(call: Any) -> None:
        await call.begin()
        await call.event(text_event("half"))
        await call.hang()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = half
            deadline = asyncio.get_running_loop().time() + 3.0
            request = Request(turns=kit.ASK.turns, deadline=deadline)
            chunks = [chunk async for chunk in backend.generate(request)]
            assert [(chunk.text, chunk.finish) for chunk in chunks] == [
                ("half", None),
                ("", "abort"),
            ]
            await server.posts[0].gone.wait()

    kit.run(story)


def test_a_server_that_forgets_its_closing_line_has_answered_all_the_same(kit: Any) -> None:
    async def forgetful(call: Any) -> None:
        await call.begin()
        await call.event(text_event("all"))
        await call.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        call.close()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = forgetful
            chunks = [chunk async for chunk in backend.generate(kit.ASK)]
            assert "".join(chunk.text for chunk in chunks) == "all"
            assert chunks[-1].finish == "stop"

    kit.run(story)
