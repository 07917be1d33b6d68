"""How often servers are looked at, on a clock that jumps; nothing here touches a socket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any

import pytest

from clawdbot_vllm.failures import AttemptFailed, Kind, Where, slow, unreachable
from clawdbot_vllm.servers import Server, address
from clawdbot_vllm.watch import AGAIN, HEALTH_EVERY, IDLE_AFTER, Watch
from clawdcore.testing.clock import VirtualLoop

METRICS = b"vllm:num_requests_running 2\nvllm:generation_tokens_total 100\n"


class Asked:
    """Stands in for the client: answers at once, and writes down when it was asked."""

    def __init__(self) -> None:
        self.health: int | AttemptFailed = 200
        self.metrics: int | AttemptFailed = 200
        self.asked: list[tuple[str, float]] = []

    async def get(
        self, where: Where, url: str, headers: Mapping[str, str], **_: Any
    ) -> tuple[int, bytes]:
        path = url.rpartition("/")[2]
        self.asked.append((path, asyncio.get_running_loop().time()))
        answer = self.health if path == "health" else self.metrics
        if isinstance(answer, AttemptFailed):
            raise answer
        return answer, METRICS if answer == 200 else b""

    def times(self, path: str) -> list[float]:
        return [at for asked, at in self.asked if asked == path]


class World:
    def __init__(self, *, metrics: bool = True) -> None:
        self.server = Server(address=address("http://h:8000/v1", None))
        self.client = Asked()
        client: Any = self.client
        self.watch = Watch("vllm", [self.server], client, metrics=metrics, random=Random(0))

    async def use(self, seconds: float) -> None:
        """Ask for the load every second for so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            self.watch.used(loop.time())
            await asyncio.sleep(1.0)


def play(story: Callable[[World], Coroutine[Any, Any, None]], **others: Any) -> None:
    async def whole() -> None:
        await asyncio.sleep(100.0)  # a clock that is at zero would look like just used
        world = World(**others)
        world.watch.start()
        try:
            await story(world)
        finally:
            await world.watch.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(whole())


def test_in_use_metrics_are_read_every_second_and_health_now_and_then() -> None:
    async def story(world: World) -> None:
        await world.use(20.0)
        assert 18 <= len(world.client.times("metrics")) <= 25
        assert 20 / HEALTH_EVERY - 1 <= len(world.client.times("health")) <= 20 / HEALTH_EVERY + 2
        assert world.server.reading is not None

    play(story)


def test_for_who_only_wants_to_know_it_looks_now_and_then() -> None:
    async def story(world: World) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(20):  # as the gateway does while nobody calls
            world.watch.looked(loop.time())
            await asyncio.sleep(5.0)
        for path in ("metrics", "health"):
            assert 100 / HEALTH_EVERY - 3 <= len(world.client.times(path)) <= 100 / HEALTH_EVERY + 2
        before = len(world.client.times("metrics"))
        await world.use(10.0)
        assert len(world.client.times("metrics")) - before >= 9
        await asyncio.sleep(2 * IDLE_AFTER)
        before = len(world.client.asked)
        await asyncio.sleep(3600.0)
        assert len(world.client.asked) == before

    play(story)


def test_out_of_use_nobody_is_asked() -> None:
    async def story(world: World) -> None:
        await world.use(3.0)
        await asyncio.sleep(IDLE_AFTER + 2)
        before = len(world.client.asked)
        await asyncio.sleep(3600.0)
        assert len(world.client.asked) == before
        await world.use(2.0)
        assert len(world.client.asked) > before

    play(story)


def test_while_requests_run_it_goes_on() -> None:
    async def story(world: World) -> None:
        await world.use(1.0)
        world.server.in_flight = 1
        await asyncio.sleep(100.0)
        assert len(world.client.times("metrics")) >= 100
        world.server.in_flight = 0

    play(story)


def test_a_server_without_metrics_is_asked_again_after_a_minute() -> None:
    async def story(world: World) -> None:
        world.client.metrics = 404
        await world.use(2 * AGAIN)
        assert 2 <= len(world.client.times("metrics")) <= 3
        assert world.server.reading is None

    play(story)


def test_metrics_that_fail_for_a_moment_are_read_on() -> None:
    async def story(world: World) -> None:
        where = Where("vllm", "h:8000")
        for trouble in (500, slow(where, 2.0, option="x", begun=False)):
            world.client.metrics = trouble
            await world.use(3.0)
            assert world.server.up
            world.client.metrics = 200
            world.server.reading = None
            await world.use(3.0)
            assert world.server.reading is not None

    play(story)


def test_a_server_that_is_gone_is_left_out_and_taken_back() -> None:
    async def story(world: World) -> None:
        await world.use(2.0)
        gone = unreachable(Where("vllm", "h:8000"))
        world.client.metrics = world.client.health = gone
        await world.use(30.0)
        assert not world.server.up
        probes = world.client.times("health")[1:]
        rests = [later - sooner for sooner, later in itertools.pairwise(probes)]
        assert len(probes) < 15
        assert rests[-1] > 2 * rests[0]
        world.client.metrics = world.client.health = 200
        await world.use(40.0)
        assert world.server.up
        assert world.server.reading is not None

    play(story)


def test_a_server_that_is_slow_to_say_how_it_is_stays() -> None:
    async def story(world: World) -> None:
        world.client.health = slow(Where("vllm", "h:8000"), 2.0, option="x", begun=False)
        await world.use(20.0)
        assert world.server.up

    play(story)


def test_a_cut_connection_is_probed_at_once() -> None:
    async def story(world: World) -> None:
        loop = asyncio.get_running_loop()
        await world.use(1.5)
        world.watch.failed(world.server, Kind.CUT, loop.time())
        assert not world.server.up
        began = loop.time()
        await asyncio.sleep(0.1)
        assert world.server.up
        assert world.client.times("health")[-1] - began <= 0.1

    play(story)


def test_with_metrics_off_the_speed_is_our_own_count() -> None:
    async def story(world: World) -> None:
        world.server.in_flight = 1
        for _ in range(10):
            world.server.tokens += 30
            await world.use(1.0)
        assert world.client.times("metrics") == []
        assert world.server.speed.value == pytest.approx(30.0, rel=0.2)
        world.server.in_flight = 0

    play(story, metrics=False)
