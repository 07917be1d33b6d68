from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from clawdbot_vllm.client import LONGEST_BODY, block
from clawdbot_vllm.failures import AttemptFailed, Kind, Where
from clawdcore import ApiCall, Audio, BadAnswer, StreamCut


class Ready:
    """A response whose next bytes always lie ready."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    def read_nowait(self) -> bytes:
        return b"more"


def test_data_that_lies_ready_does_not_outlive_the_deadline() -> None:
    async def story() -> None:
        response: Any = Ready()
        now = asyncio.get_running_loop().time()
        where = Where("vllm", "h:1")
        later, past = now + 1000.0, now - 1.0
        assert await block(where, response, seconds=9.0, deadline=later, begun=True) == b"more"
        with pytest.raises(AttemptFailed) as caught:
            await block(where, response, seconds=9.0, deadline=past, begun=True)
        assert caught.value.kind is Kind.OUT_OF_TIME

    asyncio.run(story())


def test_a_proxy_of_the_environment_is_not_used(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            assert await kit.text(backend) == "Hi there"

    kit.run(story)


def test_a_compressed_answer_is_named(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options={"retries": 0}) as backend:
            server.always = lambda call: call.send(200, b"", Content_Encoding="gzip")
            with pytest.raises(BadAnswer, match="compressed"):
                await kit.text(backend)

    kit.run(story)


def test_an_answer_that_is_too_long_is_given_up(kit: Any) -> None:
    async def endless(call: Any) -> None:
        await call.begin("application/json")
        for _ in range(LONGEST_BODY // 1_000_000 + 2):
            await call.piece(b" " * 1_000_000)
        await call.hang()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options={"retries": 0}) as backend:
            server.always = endless
            with pytest.raises(BadAnswer, match="more than"):
                await backend.transcribe(Audio(data=b"x", model="m"))

    kit.run(story)


def test_who_is_silent_after_the_finish_has_answered(kit: Any) -> None:
    async def silent(call: Any) -> None:
        await call.begin()
        await call.event(
            {"choices": [{"index": 0, "delta": {"content": "all"}, "finish_reason": "stop"}]}
        )
        await call.hang()

    async def story() -> None:
        # An idle timeout far above a test's own limit: only the end of patience can end it.
        async with (
            kit.Wire() as server,
            kit.backend(server, options={"idleTimeout": 3600}) as backend,
        ):
            server.always = silent
            assert await kit.text(backend) == "all"

    kit.run(story)


def test_a_server_that_cuts_a_relayed_body_is_left_out_and_named(
    kit: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def half(call: Any) -> None:
        await call.begin()
        await call.event({"choices": []})
        call.close()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = half
            relayed = await backend.relay(ApiCall(path="chat/completions", body=b"{}", stream=True))
            with pytest.raises(StreamCut):
                async for _ in relayed.body:
                    pass
            assert backend._servers[0].failures == 1

    with caplog.at_level(logging.WARNING):
        kit.run(story)
    assert "is left out (cut)" in caplog.text


def test_a_server_that_is_missing_at_the_start_gets_nothing(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server:
            async with kit.Wire() as gone:
                backend = kit.made(gone, server)
            await backend.start()
            assert [one.up for one in backend._servers] == [False, True]
            await backend.close()

    kit.run(story)
