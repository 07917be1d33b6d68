"""The servers while they work: looked at, limited by what they say, and left alone when idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from clawdcore import Chunk, Load, Overloaded, Replica, Request, Turn
from clawdcore.admission.ladder import Rung
from clawdcore.backend import Priority
from clawdcore.testing import FakeBackend, VirtualLoop
from clawdcore.worker.models import ModelChain
from clawdcore.worker.refs import ModelRef
from clawdcore.worker.seats import Seats
from clawdcore.worker.servers import Servers, lowest_class


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story)


class Cluster(FakeBackend):
    """Replicas of 8 slots; what is more waits inside. A request takes two seconds."""

    def __init__(self, replicas: int = 2) -> None:
        super().__init__(model="one")
        self.up = replicas
        self.replicas = replicas
        self.inside = 0
        self.most = 0
        self.looks = 0
        self.refuses = False

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        if self.refuses:
            raise Overloaded("full", retry_after=1)
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await asyncio.sleep(2)
            yield Chunk("word", "stop")
        finally:
            self.inside -= 1

    async def load(self) -> Load:
        self.looks += 1
        running = min(self.inside, 8 * self.up)
        return Load(
            running=running,
            waiting=self.inside - running,
            capacity=0,
            replicas=tuple(Replica(name=str(n), up=n < self.up) for n in range(self.replicas)),
        )


def chain_of(
    backend: FakeBackend, steps: list[Rung] | None = None, bound: int = 1000
) -> ModelChain:
    def stepped(before: Rung, rung: Rung) -> None:
        if steps is not None:
            steps.append(rung)

    return ModelChain(
        [ModelRef("a", "one")],
        Servers({"a": backend}, ceiling=64, bound=bound, budget=30.0, stepped=stepped),
        seats=Seats(1),
        request_timeout=30.0,
        total_timeout=3000.0,
        told=lambda kind, subject: None,
    )


def ask(chain: ModelChain, count: int, chats: int = 1) -> list[asyncio.Task[str]]:
    requests = [Request(turns=(Turn("user", "hi"),), key=str(n % chats)) for n in range(count)]
    return [asyncio.create_task(chain.complete(request)) for request in requests]


def test_the_limit_is_found_gives_way_to_a_dead_replica_and_recovers() -> None:
    async def story() -> None:
        cluster = Cluster()
        chain = chain_of(cluster)
        gate = chain.servers.get("a")
        assert gate is not None
        tasks = ask(chain, 900)
        await asyncio.sleep(40)
        assert 12 <= gate.gate.limit <= 24
        cluster.up = 1
        await asyncio.sleep(5)
        assert gate.gate.limit <= 12
        cluster.up = 2
        await asyncio.sleep(20)
        assert 12 <= gate.gate.limit <= 24
        await asyncio.gather(*tasks, return_exceptions=True)  # CoDel refuses some
        await chain.close()

    run(story())


def test_who_has_nothing_to_do_is_not_looked_at() -> None:
    async def story() -> None:
        cluster = Cluster()
        chain = chain_of(cluster)
        await chain.servers.start()
        await asyncio.sleep(100)
        assert cluster.looks == 0
        await asyncio.gather(*ask(chain, 1))
        await asyncio.sleep(10)
        looks = cluster.looks
        assert looks >= 2
        await asyncio.sleep(100)
        assert cluster.looks == looks
        await chain.close()

    run(story())


def test_a_server_that_refuses_lowers_the_limit() -> None:
    async def story() -> None:
        cluster = Cluster()
        chain = chain_of(cluster)
        await asyncio.gather(*ask(chain, 60))
        await asyncio.sleep(10)  # it may have given way just now
        server = chain.servers.get("a")
        assert server is not None
        before = server.gate.limit
        cluster.refuses = True
        with pytest.raises(Overloaded):
            await ask(chain, 1)[0]
        assert server.gate.limit < before
        await chain.close()

    run(story())


def test_a_full_line_goes_down_the_ladder_and_an_empty_one_up() -> None:
    async def story() -> None:
        steps: list[Rung] = []
        cluster = Cluster(replicas=1)
        chain = chain_of(cluster, steps, bound=100)
        tasks: list[asyncio.Task[str]] = []
        for _ in range(30):
            tasks += ask(chain, 60, chats=60)
            await asyncio.sleep(1)
        assert steps == [Rung(n) for n in range(1, 6)]
        await asyncio.wait(tasks)
        await asyncio.sleep(100)
        assert steps[5:] == [Rung(n) for n in range(4, -1, -1)]
        await chain.close()

    run(story())


def test_one_who_floods_takes_nothing_away_from_the_others() -> None:
    async def story() -> None:
        steps: list[Rung] = []
        chain = chain_of(Cluster(replicas=1), steps, bound=100)
        tasks: list[asyncio.Task[str]] = []
        for _ in range(30):
            tasks += ask(chain, 60)
            await asyncio.sleep(1)
        assert steps == []
        await asyncio.wait(tasks)
        await chain.close()

    run(story())


def test_the_classes_that_a_rung_takes() -> None:
    taken = {rung: lowest_class(rung) for rung in Rung}
    assert taken[Rung.SHORT_ANSWERS] is Priority.MEDIA
    assert taken[Rung.NO_MEDIA] is taken[Rung.CHEAPER] is Priority.GROUP
    assert taken[Rung.DIRECT_ONLY] is Priority.DIRECT


class Mute(FakeBackend):
    """Doesn't say how busy it is, or never ends saying it."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__(model="one")
        self.error = error

    async def load(self) -> Load:
        if self.error is not None:
            raise self.error
        await asyncio.sleep(1e6)
        raise AssertionError("nobody waits so long")


@pytest.mark.parametrize("error", [RuntimeError("no"), None])
def test_a_backend_that_does_not_say_how_busy_it_is_works_all_the_same(
    error: Exception | None,
) -> None:
    async def story() -> None:
        chain = chain_of(Mute(error))
        assert await asyncio.gather(*ask(chain, 20)) == ["hi"] * 20
        await chain.close()

    run(story())
