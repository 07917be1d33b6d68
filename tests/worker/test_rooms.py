"""What the gateway sees of the worker: names of models, their rooms, and the vitals."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from clawdcore import Backend, Load, ModelInfo, Replica
from clawdcore.errors import BackendUnavailable, ModelNotFound
from clawdcore.testing import FakeBackend, VirtualLoop
from clawdcore.vitals import PluginUse
from clawdcore.worker.models import ModelChain
from clawdcore.worker.refs import ModelRef
from clawdcore.worker.rooms import KNOWN, WorkerRooms
from clawdcore.worker.seats import Seats
from clawdcore.worker.servers import Servers


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story)


class Dead(FakeBackend):
    async def start(self) -> None:
        raise BackendUnavailable("no card")


USES = (PluginUse(name="ocr", calls=4, failures={"error": 3}, rest=12.0), PluginUse(name="chat"))


async def rooms_of(**backends: Backend) -> WorkerRooms:
    servers = Servers(backends, ceiling=4, bound=8, budget=10.0, stepped=lambda before, rung: None)
    await servers.start()
    refs = [ModelRef(next(iter(backends)), "one")]
    chain = ModelChain(
        refs,
        servers,
        seats=Seats(1),
        request_timeout=10.0,
        total_timeout=20.0,
        told=lambda kind, subject: None,
    )
    rooms = WorkerRooms(chain, messages={"answered": 3}, plugins=lambda: USES)
    rooms.taking = True
    return rooms


def test_a_model_is_found_by_its_name_with_and_without_its_provider() -> None:
    async def story() -> None:
        gpu, cpu = FakeBackend(model="org/one"), FakeBackend(model="two")
        rooms = await rooms_of(gpu=gpu, cpu=cpu)
        for name, provider, model in (
            ("gpu/org/one", "gpu", "org/one"),
            ("org/one", "gpu", "org/one"),
            ("cpu/two", "cpu", "two"),
            ("two", "cpu", "two"),
        ):
            room = await rooms.find(name)
            assert (room.provider, room.model) == (provider, model)
        assert (await rooms.find("two")).backend is cpu
        assert [(name, info.id) for name, info in await rooms.models()] == [
            ("gpu", "org/one"),
            ("cpu", "two"),
        ]

    run(story())


@pytest.mark.parametrize("name", ["three", "gpu/three", "nobody/one", "gpu/"])
def test_an_unknown_one_lists_what_there_is_and_does_not_quote(name: str) -> None:
    async def story() -> None:
        rooms = await rooms_of(gpu=FakeBackend(model="one"))
        with pytest.raises(ModelNotFound, match="There are: gpu/one") as error:
            await rooms.find(name)
        assert "three" not in str(error.value)

    run(story())


def test_no_name_is_the_primary_one() -> None:
    async def story() -> None:
        rooms = await rooms_of(gpu=FakeBackend(model="one"))
        assert (await rooms.find("")).model == "one"

    run(story())


def test_who_comes_while_the_first_list_is_on_its_way_waits_for_it() -> None:
    class Slow(FakeBackend):
        async def models(self) -> list[ModelInfo]:
            await asyncio.sleep(1)
            return await super().models()

    async def story() -> None:
        rooms = await rooms_of(gpu=Slow(model="one"))
        found = await asyncio.gather(*(rooms.find("one") for _ in range(8)))
        assert {room.model for room in found} == {"one"}

    run(story())


def test_a_servers_refusal_lowers_its_limit() -> None:
    async def story() -> None:
        rooms = await rooms_of(gpu=FakeBackend(model="one"))
        room = await rooms.find("one")
        [before] = rooms.vitals().queues
        room.refused()
        [after] = rooms.vitals().queues
        assert after.limit < before.limit

    run(story())


def test_what_a_server_has_newly_is_found_after_a_while() -> None:
    async def story() -> None:
        backend = FakeBackend(model="one")
        rooms = await rooms_of(gpu=backend)
        await rooms.find("one")
        backend.model = "new"
        with pytest.raises(ModelNotFound):
            await rooms.find("new")
        await asyncio.sleep(KNOWN + 1)
        assert (await rooms.find("new")).model == "new"
        with pytest.raises(ModelNotFound):
            await rooms.find("one")

    run(story())


def test_vitals_and_readiness() -> None:
    async def story() -> None:
        rooms = await rooms_of(gpu=FakeBackend(model="one"), cpu=Dead(model="two"))
        await asyncio.sleep(5)
        vitals = rooms.vitals()
        assert vitals.uptime == 5.0
        assert [queue.server for queue in vitals.queues] == ["gpu", "cpu"]
        assert vitals.messages == {"answered": 3}
        assert vitals.resting == {"ocr": 12.0}
        assert vitals.plugins == USES
        assert vitals.trouble == ("cpu: no card",)
        assert (vitals.rung, vitals.rung_name) == (0, "none")
        assert rooms.ready
        rooms.taking = False
        assert not rooms.ready
        nobody = await rooms_of(cpu=Dead(model="two"))
        assert not nobody.ready

    run(story())


class Down(FakeBackend):
    """Started once; its only replica is down since."""

    async def load(self) -> Load:
        return Load(running=0, waiting=0, capacity=0, replicas=(Replica(name="a:1", up=False),))


def test_a_server_whose_replicas_are_all_down_is_not_ready_though_nobody_asks_it() -> None:
    async def story() -> None:
        rooms = await rooms_of(gpu=Down(model="one"))
        assert rooms.ready
        await rooms.look()
        assert not rooms.ready
        assert [replica.up for replica in rooms.vitals().queues[0].replicas] == [False]

    run(story())
