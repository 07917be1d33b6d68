"""Several servers: retries on another, leaving one out, taking it back, and their load."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import (
    BackendUnavailable,
    GenerationFailed,
    Overloaded,
    Request,
    StreamCut,
)


def refuse(status: int) -> Any:
    return lambda call: call.send(status, {"error": {"message": "no"}})


async def reset(call: Any) -> None:
    call.abort()


async def half(call: Any) -> None:
    await call.begin()
    await call.event({"choices": [{"index": 0, "delta": {"content": "half"}}]})
    await call.end()


async def empty(call: Any) -> None:
    await call.begin()
    await call.end()


@pytest.mark.parametrize(
    "failing",
    [refuse(503), refuse(429), refuse(500), reset, empty],
    ids=["503", "429", "500", "reset", "empty"],
)
def test_what_fails_before_the_first_token_is_asked_elsewhere(kit: Any, failing: Any) -> None:
    async def story() -> None:
        async with (
            kit.Wire() as one,
            kit.Wire() as other,
            kit.backend(one, other) as backend,
        ):
            one.always = failing
            for _ in range(8):
                assert await kit.text(backend) == "Hi there"
            assert len(other.posts) == 8
            assert one.posts  # else nothing was tried

    kit.run(story)


def test_after_the_first_token_nothing_is_repeated(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.always = other.always = half
            with pytest.raises(StreamCut):
                await kit.text(backend)
            assert len(one.posts) + len(other.posts) == 1

    kit.run(story)


def test_thoughts_count_as_tokens(kit: Any) -> None:
    async def thinking(call: Any) -> None:
        await call.begin()
        await call.event({"choices": [{"index": 0, "delta": {"reasoning": "hm"}}]})
        await call.end()

    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.always = other.always = thinking
            with pytest.raises(GenerationFailed):
                await kit.text(backend)
            assert len(one.posts) + len(other.posts) == 1

    kit.run(story)


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_it_is_tried_again_as_often_as_the_option_says(kit: Any, retries: int) -> None:
    async def story() -> None:
        async with (
            kit.Wire() as one,
            kit.Wire() as two,
            kit.Wire() as three,
            kit.Wire() as four,
            kit.backend(one, two, three, four, options={"retries": retries}) as backend,
        ):
            servers = (one, two, three, four)
            for server in servers:
                server.always = refuse(503)
            with pytest.raises(Overloaded):
                await kit.text(backend)
            assert sum(len(server.posts) for server in servers) == retries + 1
            assert max(len(server.posts) for server in servers) == 1

    kit.run(story)


def test_a_single_full_server_is_not_asked_twice(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = refuse(503)
            with pytest.raises(Overloaded):
                await kit.text(backend)
            assert len(server.posts) == 1

    kit.run(story)


def test_a_single_server_that_dropped_an_old_connection_is_asked_again(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.answers.append(reset)
            assert await kit.text(backend) == "Hi there"
            assert len(server.posts) == 2

    kit.run(story)


def test_what_the_request_itself_is_refused_for_is_not_repeated(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.always = other.always = refuse(400)
            with pytest.raises(Exception, match="HTTP 400"):
                await kit.text(backend)
            assert len(one.posts) + len(other.posts) == 1
            assert all(replica.up for replica in (await backend.load()).replicas)

    kit.run(story)


def test_when_everything_fails_retries_run_out(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.always = other.always = refuse(503)
            for _ in range(50):
                with pytest.raises(Overloaded):
                    await kit.text(backend)
            # Ten saved up, and a tenth of the fifty requests.
            assert len(one.posts) + len(other.posts) <= 50 + 10 + 5

    kit.run(story)


def test_no_retry_begins_after_the_deadline(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.always = other.always = lambda call: call.hang()
            deadline = asyncio.get_running_loop().time() + 0.2
            with pytest.raises(BackendUnavailable):
                await kit.text(backend, Request(turns=kit.ASK.turns, deadline=deadline))
            assert len(one.posts) + len(other.posts) == 1

    kit.run(story)


def test_a_dead_server_gets_nothing_and_comes_back(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            await one.down()
            for _ in range(20):
                assert await kit.text(backend) == "Hi there"
            load = await backend.load()
            assert [replica.up for replica in load.replicas] == [False, True]
            one.posts.clear()
            await one.up()
            await kit.until(lambda: backend._servers[0].up)
            assert "/health" in one.gets
            for _ in range(40):
                await kit.text(backend)
            assert one.posts

    kit.run(story)


def test_one_of_two_killed_under_load_loses_no_request_that_had_not_begun(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.always = lambda call: call.hang()
            tasks = [asyncio.create_task(kit.text(backend)) for _ in range(40)]
            await kit.until(lambda: len(one.posts) >= 5)
            await one.down()
            assert await asyncio.gather(*tasks) == ["Hi there"] * 40

    kit.run(story)


@pytest.mark.parametrize("status", [503])
def test_a_server_whose_health_fails_is_left_out(kit: Any, status: int) -> None:
    async def story() -> None:
        async with kit.Wire() as one, kit.Wire() as other, kit.backend(one, other) as backend:
            one.health = status
            backend._servers[0].health_at = 0.0
            await backend.load()
            await kit.until(lambda: not backend._servers[0].up)
            one.posts.clear()
            for _ in range(10):
                await kit.text(backend)
            assert not one.posts

    kit.run(story)


def test_where_all_are_out_they_are_asked_all_the_same(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            await server.down()
            with pytest.raises(BackendUnavailable):
                await kit.text(backend)
            assert not backend._servers[0].up
            await server.up()
            assert await kit.text(backend) == "Hi there"
            assert backend._servers[0].up

    kit.run(story)


METRICS = """# HELP vllm:num_requests_running Number of requests.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a b}"} 5.0
vllm:num_requests_waiting{engine="0",model_name="a b}"} 3.0
vllm:kv_cache_usage_perc{engine="0",model_name="a b}"} 0.25
vllm:num_preemptions_total{engine="0",model_name="a b}"} 2.0
"""


def test_the_load_is_what_the_servers_say(kit: Any) -> None:
    async def story() -> None:
        async with (
            kit.Wire() as one,
            kit.Wire() as other,
            kit.backend(one, other, options={"maxConcurrent": 10}) as backend,
        ):
            one.metrics = METRICS
            for server in backend._servers:
                server.scrape_at = 0.0
            await backend.load()
            await kit.until(lambda: backend._servers[0].reading is not None)
            load = await backend.load()
            assert (load.running, load.waiting, load.capacity) == (5, 3, 20)
            assert (load.cache_use, load.preemptions) == (0.25, 2)
            assert [replica.name for replica in load.replicas] == [
                f"127.0.0.1:{one.port}",
                f"127.0.0.1:{other.port}",
            ]
            assert load.replicas[0].running == 5
            assert load.replicas[1].running == 0

    kit.run(story)


def test_without_metrics_our_own_counts_are_the_load(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            server.always = lambda call: call.hang()
            tasks = [asyncio.create_task(kit.text(backend)) for _ in range(3)]
            await kit.until(lambda: len(server.posts) == 3)
            load = await backend.load()
            assert (load.running, load.waiting, load.capacity) == (3, 0, 0)
            assert load.cache_use is None
            assert load.queue_time is None
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    kit.run(story)


def test_the_speed_of_a_server_without_metrics_is_measured_here(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            assert (await backend.load()).tokens_per_second is None
            await kit.until(lambda: backend._servers[0].measured is not None)
            await kit.text(backend)
            assert backend._servers[0].tokens == 2
            await kit.until(lambda: backend._servers[0].speed.value is not None)
            assert (await backend.load()).tokens_per_second > 0

    kit.run(story)


def test_with_metrics_off_nobody_asks_for_them(kit: Any) -> None:
    async def story() -> None:
        async with (
            kit.Wire() as server,
            kit.backend(server, options={"metrics": False}) as backend,
        ):
            await backend.load()
            await kit.text(backend)
            await kit.until(lambda: "/health" in server.gets)
        assert "/metrics" not in server.gets

    kit.run(story)


def test_response_times_are_measured(kit: Any) -> None:
    async def story() -> None:
        async with kit.Wire() as server, kit.backend(server) as backend:
            assert (await backend.load()).replicas[0].response_time is None
            await kit.text(backend)
            assert (await backend.load()).replicas[0].response_time > 0

    kit.run(story)
