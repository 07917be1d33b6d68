from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import httpx
import pytest

from clawdbot_llamacpp.generation import Generation, NotReached
from clawdbot_llamacpp.launch import Engine
from clawdcore import (
    BackendError,
    BackendUnavailable,
    Chunk,
    ContextOverflow,
    GenerationFailed,
    Usage,
)

Part = bytes | Exception | asyncio.Event


class Stream(httpx.AsyncByteStream):
    """Gives its parts in turn; an exception is raised, an event waited for."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            if isinstance(part, asyncio.Event):
                await part.wait()
            elif isinstance(part, Exception):
                raise part
            else:
                yield part

    async def aclose(self) -> None:
        self.closed = True


class FakeEngine:
    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.killed = False
        self.client = httpx.AsyncClient(
            transport=httpx.MockTransport(answer), base_url="http://engine"
        )

    def kill(self) -> None:
        self.killed = True


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n"


def text(content: str, finish: str | None = None) -> bytes:
    return event(choices=[{"delta": {"content": content}, "finish_reason": finish}])


USAGE = event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 3})


class Asked:
    """One generation against a canned stream, and what became of it."""

    def __init__(self, parts: list[Part], *, status: int = 200, seconds: float | None = None):
        self.stream = Stream(parts)
        self.engine = FakeEngine(lambda _: httpx.Response(status, stream=self.stream))
        self.chunks: list[Chunk] = []
        self.tokens = 0
        self.seconds = seconds
        self.generation: Generation | None = None

    async def go(self) -> None:
        deadline = None
        if self.seconds is not None:
            deadline = asyncio.get_running_loop().time() + self.seconds

        def generated(tokens: int) -> None:
            self.tokens += tokens

        engine = cast("Engine", self.engine)
        self.generation = Generation(engine, b"{}", deadline=deadline, generated=generated)
        async with asyncio.timeout(10), self.engine.client:
            async for chunk in self.generation.chunks():
                self.chunks.append(chunk)


def ask(parts: list[Part], **others: Any) -> Asked:
    asked = Asked(parts, **others)
    asyncio.run(asked.go())
    return asked


def failing(error: type[BackendError], parts: list[Part], **others: Any) -> tuple[Asked, str]:
    asked = Asked(parts, **others)
    with pytest.raises(error) as caught:
        asyncio.run(asked.go())
    assert type(caught.value) is error
    return asked, str(caught.value)


def test_the_text_comes_in_pieces_and_the_last_one_carries_finish_and_usage() -> None:
    role = event(choices=[{"delta": {"role": "assistant", "content": None}}])
    done = event(choices=[{"delta": {}, "finish_reason": "length"}])
    asked = ask([role, text("He") + text("llo"), done, USAGE, b"data: [DONE]\n\n"])
    assert asked.chunks == [
        Chunk(text="He"),
        Chunk(text="llo"),
        Chunk(finish="length", usage=Usage(7, 3)),
    ]
    assert asked.tokens == 3
    assert asked.stream.closed


def test_characters_at_which_lines_split_in_text_are_kept() -> None:
    odd = "a\u2028b\u0085c\x0bd"
    assert ask([text(odd), text("", "stop"), USAGE]).chunks[0].text == odd


def test_the_tokens_that_fill_the_context_are_known_while_it_runs() -> None:
    progress = event(choices=[], prompt_progress={"total": 90, "processed": 64, "cache": 0})
    asked = Asked([progress, text("a"), text("b"), asyncio.Event()], seconds=0.2)
    asyncio.run(asked.go())
    assert asked.generation is not None
    assert asked.generation.tokens == 66


def test_a_deadline_ends_it_with_what_there_is() -> None:
    asked = ask([text("a"), asyncio.Event()], seconds=0.05)
    assert asked.chunks == [Chunk(text="a"), Chunk(finish="abort")]
    assert asked.stream.closed


def test_a_deadline_that_passed_ends_it_though_more_lies_ready() -> None:
    asked = ask([text("a"), text("b"), text("", "stop"), USAGE], seconds=-1.0)
    assert asked.chunks[-1] == Chunk(finish="abort")
    assert Chunk(text="b") not in asked.chunks


def test_too_long_a_request_is_told_with_both_lengths() -> None:
    body = {"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}}
    for parts, status in (([json.dumps(body).encode()], 400), ([event(**body)], 200)):
        asked, told = failing(ContextOverflow, list(parts), status=status)
        assert "9,000 tokens, and the model takes 4,096" in told
        assert asked.chunks == []


@pytest.mark.parametrize(
    "body", [b"", b"not json", b'{"error": {"type": "invalid_request_error"}}']
)
def test_another_refusal_is_told_by_its_kind_only(body: bytes) -> None:
    asked, told = failing(GenerationFailed, [body], status=400)
    assert "HTTP 400" in told
    assert asked.stream.closed


def test_a_death_before_the_first_chunk_can_be_tried_elsewhere() -> None:
    failing(BackendUnavailable, [httpx.ReadError("gone")])
    failing(BackendUnavailable, [])


def test_a_death_after_the_first_chunk_can_not() -> None:
    asked, told = failing(GenerationFailed, [text("a"), httpx.RemoteProtocolError("gone")])
    assert asked.chunks == [Chunk(text="a")]
    assert "broke off" in told
    failing(GenerationFailed, [text("a")])


def test_an_engine_that_hangs_is_killed() -> None:
    asked, told = failing(BackendUnavailable, [httpx.ReadTimeout("silence")])
    assert asked.engine.killed
    assert "stopped answering" in told


def test_a_stream_that_is_nonsense_breaks_without_repeating_it() -> None:
    _, told = failing(GenerationFailed, [text("a"), b"data: {what somebody wrote\n\n"])
    assert "somebody" not in told


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError])
def test_an_engine_that_is_gone_never_saw_the_request(error: type[httpx.TransportError]) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise error("gone")

    asked = Asked([])
    asked.engine = FakeEngine(refuse)
    with pytest.raises(NotReached):
        asyncio.run(asked.go())
    assert asked.engine.killed


def test_closing_the_iterator_closes_the_stream() -> None:
    async def story() -> None:
        asked = Asked([text("a"), asyncio.Event()])
        engine = cast("Engine", asked.engine)
        chunks = Generation(engine, b"{}", deadline=None, generated=lambda _: None).chunks()
        async with asyncio.timeout(10), asked.engine.client:
            assert (await anext(chunks)).text == "a"
            await chunks.aclose()
            assert asked.stream.closed

    asyncio.run(story())
