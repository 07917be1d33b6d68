from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from clawdbot_llamacpp.launch import EngineFailed
from clawdbot_llamacpp.supervisor import (
    LASTING,
    MAX_REST,
    QUICK_CRASHES,
    REST,
    Backoff,
    Supervisor,
)
from clawdcore import BackendUnavailable


class FakeEngine:
    def __init__(self) -> None:
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.stops = 0

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)

    async def stop(self) -> None:
        self.stops += 1

    def die(self, status: int = -11) -> None:
        self.ended.set_result(status)


class World:
    """Launches fake engines; time passes only when a test says so."""

    def __init__(self) -> None:
        self.engines: list[FakeEngine] = []
        self.delays: list[float] = []
        self.failing = False
        self._wake = asyncio.Event()
        self.asleep = asyncio.Event()
        self.launched = asyncio.Event()

    async def launch(self) -> FakeEngine:
        if self.failing:
            raise EngineFailed("the model is broken.")
        self.engines.append(FakeEngine())
        self.launched.set()
        return self.engines[-1]

    async def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        self.asleep.set()
        await self._wake.wait()
        self._wake.clear()

    async def pass_the_pause(self) -> None:
        await self.asleep.wait()
        self.asleep.clear()
        self._wake.set()


def run(story: Callable[[World, Supervisor[FakeEngine]], Awaitable[None]]) -> None:
    async def bounded() -> None:
        world = World()
        supervisor = Supervisor(world.launch, sleep=world.sleep)
        async with asyncio.timeout(10):
            await story(world, supervisor)
            await supervisor.close()

    asyncio.run(bounded())


def soon() -> float:
    return asyncio.get_running_loop().time() + 5


def test_a_running_engine_is_given_at_once() -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        await supervisor.start()
        assert await supervisor.ready(soon()) is world.engines[0]

    run(story)


def test_a_dead_engine_is_cleaned_up_and_another_started() -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        await supervisor.start()
        world.engines[0].die()
        await world.asleep.wait()
        assert world.engines[0].stops == 1
        waiting = asyncio.create_task(supervisor.ready(soon()))
        await world.pass_the_pause()
        assert await waiting is world.engines[1]

    run(story)


def test_a_lost_engine_is_not_given_again() -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        await supervisor.start()
        first = world.engines[0]
        waiting = asyncio.create_task(supervisor.ready(soon(), lost=first))
        await asyncio.sleep(0)
        first.die()
        await world.pass_the_pause()
        assert await waiting is world.engines[1]

    run(story)


def test_a_deadline_before_the_restart_is_an_error_with_the_reason() -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        await supervisor.start()
        world.engines[0].die(-9)
        await world.asleep.wait()
        with pytest.raises(BackendUnavailable, match=r"started again \(it ended \(signal SIGKILL"):
            await supervisor.ready(asyncio.get_running_loop().time())
        late = asyncio.get_running_loop().time() + 0.6  # after the next start, which hangs
        with pytest.raises(BackendUnavailable, match="started again"):
            await supervisor.ready(late)

    run(story)


def test_after_many_quick_ends_it_rests_and_says_so_at_once() -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        await supervisor.start()
        for _ in range(QUICK_CRASHES - 1):
            world.engines[-1].die()
            await world.pass_the_pause()
            await supervisor.ready(soon(), lost=world.engines[-1])
        world.engines[-1].die()
        await world.asleep.wait()
        world.launched.clear()
        assert world.delays[-1] == REST
        with pytest.raises(BackendUnavailable, match=r"failed 5 times in a row.*next try is in"):
            await supervisor.ready(None)
        await world.pass_the_pause()
        await world.launched.wait()
        assert await supervisor.ready(soon()) is world.engines[-1]

    run(story)


def test_a_restart_that_fails_is_tried_again_with_a_longer_pause() -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        await supervisor.start()
        world.failing = True
        world.engines[0].die()
        await world.pass_the_pause()
        await world.asleep.wait()
        world.failing = False
        await world.pass_the_pause()
        assert await supervisor.ready(soon(), lost=world.engines[0]) is world.engines[1]
        assert world.delays == [0.5, 1.0]

    run(story)


def test_a_first_start_that_fails_is_the_callers_error() -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        world.failing = True
        with pytest.raises(EngineFailed):
            await supervisor.start()

    run(story)


@pytest.mark.parametrize("crashed", [False, True])
def test_closing_stops_the_engine_or_the_waiting_for_one(crashed: bool) -> None:
    async def story(world: World, supervisor: Supervisor[FakeEngine]) -> None:
        await supervisor.start()
        if crashed:
            world.engines[0].die()
            await world.asleep.wait()
        for _ in range(2):
            await supervisor.close()
        assert world.engines[0].stops > 0  # once or more: stopping twice does nothing
        assert len(world.engines) == 1
        with pytest.raises(BackendUnavailable, match="not started"):
            await supervisor.ready(soon())

    run(story)


def test_the_pause_grows_then_rests_and_a_lasting_engine_begins_anew() -> None:
    backoff = Backoff()
    crashes = [(backoff.ended(1.0), backoff.resting) for _ in range(9)]
    assert [delay for delay, _ in crashes[:4]] == [0.5, 1.0, 2.0, 4.0]
    assert [delay for delay, _ in crashes[4:]] == [REST, 120.0, 240.0, 480.0, MAX_REST]
    assert [resting for _, resting in crashes] == [False] * 4 + [True] * 5
    assert (backoff.ended(LASTING), backoff.resting) == (0.5, False)
