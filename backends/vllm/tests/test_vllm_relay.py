from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import (
    ApiCall,
    BackendUnavailable,
    GenerationFailed,
    ModelNotFound,
    Overloaded,
    Priority,
    StreamCut,
)

BODY = b'{"model": "m",   "messages": []}'
CALL = ApiCall(path="chat/completions", body=BODY, stream=True, priority=Priority.GROUP)


async def read(relayed: Any) -> bytes:
    return b"".join([part async for part in relayed.body])


@pytest.mark.parametrize("path", ["chat/completions", "responses"])
def test_bytes_go_through_as_they_are(kit: Any, path: str) -> None:
    async def odd(call: Any) -> None:
        await call.begin("text/event-stream; charset=utf-8")
        await call.piece(b": a comment\r\n")
        await call.piece(b"data: not json at all\n\n")
        await call.end()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = odd
            call = ApiCall(path=path, body=BODY, stream=True, priority=Priority.GROUP)
            relayed = await backend.relay(call)
            assert (relayed.status, relayed.content_type) == (
                200,
                "text/event-stream; charset=utf-8",
            )
            assert await read(relayed) == b": a comment\r\ndata: not json at all\n\n"
            assert (await backend.load()).running == 0
        [call] = server.posts
        assert (call.path, call.body) == (f"/v1/{path}", BODY)
        assert call.headers["x-vllm-priority"] == "2"

    kit.run(story)


def test_an_answer_in_one_piece_may_take_longer_than_headers(kit: Any) -> None:
    async def story() -> None:
        async with (
            kit.Wire() as server,
            kit.backend(server, options={"headersTimeout": 0.1}) as backend,
        ):

            async def late(call: Any) -> None:
                await asyncio.sleep(0.3)  # longer than the option
                await call.send(200, {"id": 1})

            server.always = late
            call = ApiCall(path="chat/completions", body=BODY)
            relayed = await backend.relay(call)
            assert relayed.content_type == "application/json"
            assert await read(relayed) == b'{"id": 1}'

    kit.run(story)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_the_caller_did_wrong_is_handed_on(kit: Any, status: int) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = lambda call: call.send(status, {"error": {"message": "why"}})
            relayed = await backend.relay(CALL)
            assert relayed.status == status
            assert await read(relayed) == b'{"error": {"message": "why"}}'
            assert len(server.posts) == 1

    kit.run(story)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(503, Overloaded), (429, Overloaded), (500, BackendUnavailable), (401, BackendUnavailable)],
)
def test_what_the_server_did_wrong_is_a_named_error(kit: Any, status: int, kind: type) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server, options={"retries": 0}) as backend:
            server.always = lambda call: call.send(status, {"error": {}})
            with pytest.raises(kind):
                await backend.relay(CALL)
            assert (await backend.load()).running == 0

    kit.run(story)


def test_before_the_body_it_is_asked_elsewhere(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.always = lambda call: call.send(503, {"error": {}})
            for _ in range(8):
                relayed = await backend.relay(CALL)
                assert relayed.status == 200
                assert b"Hi" in await read(relayed)
            assert one.posts
            assert len(other.posts) == 8

    kit.run(story)


def test_a_path_that_is_not_relayed_is_told(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            with pytest.raises(ModelNotFound, match="does not relay embeddings"):
                await backend.relay(ApiCall(path="embeddings", body=BODY))

    kit.run(story)


@pytest.mark.parametrize("first", [False, True])
def test_closing_the_body_closes_the_call(kit: Any, first: bool) -> None:
    async def forever(call: Any) -> None:
        await call.begin()
        await call.event({"choices": []})
        await call.hang()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = forever
            relayed = await backend.relay(CALL)
            if first:
                await anext(relayed.body)
            await relayed.body.aclose()
            await server.posts[0].gone.wait()
            assert (await backend.load()).running == 0

    kit.run(story)


def test_a_body_that_ends_in_the_middle_is_a_cut_stream(kit: Any) -> None:
    async def half(call: Any) -> None:
        await call.begin()
        await call.event({"choices": []})
        call.close()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = half
            relayed = await backend.relay(CALL)
            with pytest.raises(StreamCut):
                await read(relayed)
            assert (await backend.load()).running == 0

    kit.run(story)


def test_the_deadline_in_the_middle_of_a_body(kit: Any) -> None:
    async def half(call: Any) -> None:
        await call.begin()
        await call.event({"choices": []})
        await call.hang()

    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = half
            deadline = asyncio.get_running_loop().time() + 3.0
            relayed = await backend.relay(
                ApiCall(path="chat/completions", body=BODY, stream=True, deadline=deadline)
            )
            with pytest.raises(GenerationFailed, match="in time"):
                await read(relayed)
            await server.posts[0].gone.wait()

    kit.run(story)
