"""Workers are kept alive: replaced when they end or stall, swapped without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import pairwise

import pytest

from clawdcore.broker import (
    BEAT,
    Beat,
    Closed,
    Hello,
    Port,
    Ready,
    Stop,
    ToEdge,
    ToWorker,
    memory_broker,
)
from clawdcore.edge.child import Child
from clawdcore.edge.supervisor import (
    AT_ONCE,
    END_LIMIT,
    LONGEST_PAUSE,
    STALL,
    SWAP_LIMIT,
    SWAP_PAUSE,
    Supervisor,
    Swapped,
)
from clawdcore.edge.work import Death
from clawdcore.edge.workers import Link
from clawdcore.errors import WorkerFailed
from clawdcore.testing import VirtualLoop
from clawdcore.testing.telegram import BOT

SOON = 0.01
MB = 2**20


class Player(Child):
    """A worker in this process. ``says`` is what it is ready with, after ``slow`` seconds."""

    def __init__(self, number: int, happened: list[str], says: Ready, slow: float) -> None:
        self.number = number
        self.happened = happened
        self.port, self.worker = memory_broker()
        self.blamed = None
        self.ended: asyncio.Task[int] = asyncio.create_task(self._life(says, slow))
        self.dying = asyncio.Event()
        self.status = 0
        self.frozen = False
        self.deaf = False
        self.memory = 0

    async def _life(self, says: Ready, slow: float) -> int:
        beating = asyncio.create_task(self._beat(says, slow))
        listening = asyncio.create_task(self._listen())
        dying = asyncio.create_task(self.dying.wait())
        await asyncio.wait({listening, dying}, return_when="FIRST_COMPLETED")
        for task in (beating, listening, dying):
            task.cancel()
        await asyncio.wait({beating, listening, dying})
        self.worker.close()
        self.happened.append(f"{self.number} ended")
        return self.status

    async def _beat(self, says: Ready, slow: float) -> None:
        await asyncio.sleep(slow)
        await self.worker.send(says)
        while True:
            await asyncio.sleep(BEAT)
            if not self.frozen:
                await self.worker.send(Beat())

    async def _listen(self) -> None:
        with suppress(Closed):
            while True:
                if isinstance(await self.worker.receive(), Stop) and not self.deaf:
                    return

    def die(self, status: int = 1) -> None:
        self.status = status
        self.dying.set()

    def kill(self, blamed: Death) -> None:
        self.blamed = self.blamed or blamed
        self.dying.set()

    def say_where(self) -> None:
        self.happened.append(f"{self.number} says where")

    def resident(self) -> int:
        return self.memory

    def how(self) -> Death:
        return self.blamed or (Death.CRASHED if self.status else Death.KILLED)

    def culprit(self, homes: Mapping[str, str]) -> str:
        return next(iter(homes), "") if self.how() is Death.CRASHED else ""


class Stage:
    """A supervisor, the workers that it started, and the edge's side of them."""

    def __init__(self, *, memory: int = 0) -> None:
        self.loop = asyncio.get_running_loop()
        self.happened: list[str] = []
        self.players: list[Player] = []
        self.starts: list[float] = []
        self.plan: list[Ready | OSError | None] = []
        self.slow = SOON
        self.busy: dict[int, asyncio.Event] = {}
        self.told: list[tuple[str, str]] = []
        self.readied: list[Ready] = []
        self._links = 0
        self.pardons = 0
        self.supervisor = Supervisor(self.spawn, ready=self.readied.append, memory=memory)
        self.running = asyncio.create_task(self.supervisor.run(self))

    async def spawn(self) -> Child:
        """The next worker as planned: None ends before it is ready."""
        self.starts.append(self.loop.time())
        await asyncio.sleep(SOON)
        says = self.plan.pop(0) if self.plan else Ready()
        if isinstance(says, OSError):
            raise says
        player = Player(len(self.players) + 1, self.happened, says or Ready(), self.slow)
        self.players.append(player)
        self.happened.append(f"{player.number} began")
        if says is None:
            player.die()
        return player

    # ---- what the edge does ----

    async def greet(self, port: Port[ToWorker, ToEdge]) -> Link:
        await port.send(Hello(BOT))
        record = await port.receive()
        assert isinstance(record, Ready)
        self._links += 1
        return Link(next(p.number for p in self.players if p.port is port), port, record)

    async def attend(self, link: Link) -> None:
        self.happened.append(f"{link.number} attended")
        with suppress(Closed):
            while True:
                await link.port.receive()
                link.beat = self.loop.time()

    async def drained(self, link: Link) -> None:
        if link.number in self.busy:
            await self.busy[link.number].wait()
        self.happened.append(f"{link.number} drained")

    def pause(self) -> None:
        self.happened.append("paused")

    def lost(self, link: Link, how: Death, culprit: str = "") -> None:
        by = f" by {culprit}" if culprit else ""
        self.happened.append(f"{link.number} lost, {how.value}{by}")

    def pardon(self) -> None:
        self.pardons += 1

    def tell(self, kind: str, subject: str = "") -> None:
        self.told.append((kind, subject))

    def alive(self) -> list[int]:
        return [player.number for player in self.players if not player.ended.done()]


def play(story: Callable[[Stage], Awaitable[None]], *, memory: int = 0) -> None:
    async def run() -> None:
        stage = Stage(memory=memory)
        await asyncio.sleep(1)
        await story(stage)
        if not stage.running.done():
            await stage.supervisor.stop()
            await asyncio.wait_for(stage.running, 2 * END_LIMIT)
        assert stage.alive() == []

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def test_one_worker_is_started_attended_and_ended() -> None:
    async def story(stage: Stage) -> None:
        assert stage.alive() == [1]
        await stage.supervisor.stop()
        await stage.running
        assert stage.happened == ["1 began", "1 attended", "1 ended"]
        assert len(stage.readied) == 1
        assert stage.told == []

    play(story)


def test_one_that_dies_is_lost_with_how_and_replaced_at_once() -> None:
    async def story(stage: Stage) -> None:
        stage.players[0].die(1)
        await asyncio.sleep(1)
        assert stage.happened[2:] == ["1 ended", "1 lost, crashed", "2 began", "2 attended"]
        assert stage.told == [("replaced", "crashed")]
        stage.players[1].die(0)
        await asyncio.sleep(1)
        assert stage.told[1:] == [("replaced", "killed")]
        assert stage.alive() == [3]

    play(story)


def test_one_whose_loop_stands_still_is_replaced_within_three_seconds_more() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(30)
        assert stage.alive() == [1]
        stage.players[0].frozen = True
        await asyncio.sleep(STALL - 2 * BEAT)
        assert stage.alive() == [1]
        await asyncio.sleep(3 + 2 * BEAT)
        assert stage.alive() == [2]
        assert stage.happened[2] == "1 says where"
        assert stage.happened[4] == "1 lost, stalled"
        assert stage.told == [("replaced", "stalled")]

    play(story)


def test_one_that_takes_too_much_memory_is_swapped_and_not_too_often() -> None:
    async def story(stage: Stage) -> None:
        stage.players[0].memory = 101 * MB
        await asyncio.sleep(10)
        assert stage.alive() == [2]
        assert stage.happened[2:4] == ["2 began", "2 attended"], "the next must begin first"
        assert stage.happened[4:] == ["1 drained", "1 ended", "1 lost, killed"]
        assert stage.told == [("memory", "101")]
        assert stage.pardons == 0, "nobody has mended anything"
        stage.players[1].memory = 101 * MB
        await asyncio.sleep(SWAP_PAUSE - 20)
        assert stage.alive() == [2]
        await asyncio.sleep(40)
        assert stage.alive() == [3]

    play(story, memory=100 * MB)


def test_one_that_takes_far_too_much_memory_is_ended() -> None:
    async def story(stage: Stage) -> None:
        stage.players[0].memory = 151 * MB
        await asyncio.sleep(10)
        assert stage.alive() == [2]
        assert stage.told == [("memory", "151"), ("replaced", "killed")]

    play(story, memory=100 * MB)


def test_a_swap_waits_until_the_old_one_is_done_with_what_it_has() -> None:
    async def story(stage: Stage) -> None:
        stage.busy[1] = asyncio.Event()
        swapping = asyncio.create_task(stage.supervisor.swap())
        await asyncio.sleep(60)
        assert stage.alive() == [1, 2]
        assert not swapping.done()
        stage.busy[1].set()
        assert await swapping == Swapped()
        assert stage.alive() == [2]
        assert stage.pardons == 1

    play(story)


def test_an_old_one_that_is_never_done_is_ended_all_the_same() -> None:
    async def story(stage: Stage) -> None:
        stage.busy[1] = asyncio.Event()
        stage.players[0].deaf = True
        swapping = asyncio.create_task(stage.supervisor.swap())
        await asyncio.sleep(SWAP_LIMIT - 1)
        assert stage.alive() == [1, 2]
        await asyncio.sleep(END_LIMIT + 2)
        assert stage.alive() == [2]
        assert stage.happened[-1] == "1 lost, killed"
        assert await swapping == Swapped()

    play(story)


def test_where_the_next_can_t_start_the_old_one_stays() -> None:
    async def story(stage: Stage) -> None:
        stage.plan = [Ready(failure="no such plugin.")]
        assert await stage.supervisor.swap() == Swapped("no such plugin.")
        stage.plan = [None]
        assert "ended while it started" in (await stage.supervisor.swap()).failure
        stage.plan = [OSError(11, "no room")]
        assert "no room" in (await stage.supervisor.swap()).failure
        assert stage.alive() == [1]
        assert "1 drained" not in stage.happened
        assert stage.told == []

    play(story)


def test_an_exclusive_one_ends_before_the_next_begins() -> None:
    async def story(stage: Stage) -> None:
        stage.plan = [Ready(exclusive=True)]
        stage.players[0].die()
        await asyncio.sleep(1)
        del stage.happened[:]
        stage.plan = [None]
        assert await stage.supervisor.swap() == Swapped()
        assert stage.happened == [
            *("paused", "2 drained", "2 ended", "2 lost, killed"),
            *("3 began", "3 ended", "4 began", "4 attended"),
        ]

    play(story)


def test_a_new_one_that_dies_while_the_old_one_finishes_is_replaced_meanwhile() -> None:
    async def story(stage: Stage) -> None:
        stage.busy[1] = asyncio.Event()
        swapping = asyncio.create_task(stage.supervisor.swap())
        await asyncio.sleep(1)
        stage.players[1].die()
        await asyncio.sleep(1)
        assert stage.alive() == [1, 3]
        assert stage.told == [("replaced", "crashed")]
        stage.busy[1].set()
        await asyncio.sleep(1)
        assert stage.alive() == [3]
        assert stage.happened[-1] == "1 lost, killed"
        assert swapping.done()

    play(story)


def test_an_old_one_that_crashes_while_it_finishes_is_no_innocent() -> None:
    async def story(stage: Stage) -> None:
        stage.busy[1] = asyncio.Event()
        swapping = asyncio.create_task(stage.supervisor.swap())
        await asyncio.sleep(1)
        stage.players[0].die(1)
        assert await swapping == Swapped()
        assert stage.happened[-1] == "1 lost, crashed"
        assert stage.alive() == [2]

    play(story)


def test_starts_that_fail_are_tried_again_with_growing_pauses() -> None:
    async def story(stage: Stage) -> None:
        stage.plan = [None] * 12
        stage.players[0].die()
        await asyncio.sleep(300)
        gaps = [late - early for early, late in pairwise(stage.starts[1:])]
        assert all(later > earlier - SOON for earlier, later in pairwise(gaps))
        assert gaps[0] < 1
        assert gaps[-1] == pytest.approx(LONGEST_PAUSE, abs=1)
        assert len(stage.alive()) == 1

    play(story)


def test_workers_that_end_soon_after_they_were_ready_don_t_make_a_storm() -> None:
    async def story(stage: Stage) -> None:
        for _ in range(200):
            await asyncio.sleep(1)
            for player in stage.players:
                if not player.ended.done():
                    player.die()
        quick = [at for at in stage.starts if at < 2 * AT_ONCE]
        assert len(quick) >= AT_ONCE, "the first ones must be replaced at once"
        assert len(stage.starts) < 25

    play(story)


def test_workers_that_somebody_kills_are_always_replaced_at_once() -> None:
    async def story(stage: Stage) -> None:
        for count in range(2, 30):
            stage.players[-1].die(0)
            await asyncio.sleep(1)
            assert stage.alive() == [count]

    play(story)


def test_the_first_one_that_can_t_start_ends_it_with_the_reason() -> None:
    async def run() -> None:
        stage = Stage()
        stage.plan = [Ready(failure="no model.")]
        with pytest.raises(WorkerFailed, match="no model"):
            await stage.running
        assert stage.alive() == []

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.mark.parametrize("after", [SOON / 2, 1.0])
def test_a_stop_while_the_first_one_starts_ends_it_without_an_error(after: float) -> None:
    async def run() -> None:
        stage = Stage()
        stage.slow = 3600
        await asyncio.sleep(after)
        await stage.supervisor.stop()
        await asyncio.wait_for(stage.running, 1)
        assert stage.alive() == []
        assert stage.readied == []

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.mark.parametrize("after", [SOON / 2, 10.0])
def test_a_stop_while_a_replacement_starts_doesn_t_wait_for_it(after: float) -> None:
    async def story(stage: Stage) -> None:
        stage.slow = 100
        stage.players[0].die()
        await asyncio.sleep(after)
        await stage.supervisor.stop()
        await asyncio.wait_for(stage.running, 1)

    play(story)


def test_a_stop_between_two_tries_ends_at_once() -> None:
    async def story(stage: Stage) -> None:
        stage.plan = [None] * 100
        stage.players[0].die()
        await asyncio.sleep(70)
        await stage.supervisor.stop()
        await asyncio.wait_for(stage.running, 1)

    play(story)


def test_a_swap_that_is_asked_for_while_no_worker_starts_is_answered() -> None:
    async def story(stage: Stage) -> None:
        stage.plan = [None] * 3
        stage.slow = 0.2
        stage.players[0].die()
        await asyncio.sleep(SOON / 2)
        swapping = asyncio.create_task(stage.supervisor.swap())
        assert await asyncio.wait_for(swapping, 60) == Swapped()
        assert len(stage.alive()) == 1

    play(story)


def test_a_swap_that_never_comes_is_answered_at_the_end() -> None:
    async def story(stage: Stage) -> None:
        stage.plan = [None] * 100
        stage.players[0].die()
        await asyncio.sleep(5)
        swapping = asyncio.create_task(stage.supervisor.swap())
        await asyncio.sleep(1)
        await stage.supervisor.stop()
        await stage.running
        assert (await swapping).failure

    play(story)
