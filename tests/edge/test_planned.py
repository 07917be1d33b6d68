"""Planned calls, from the worker that plans them to the worker that runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from clawdcore.broker import Due, Plan
from clawdcore.edge.ledger import Ledger
from clawdcore.edge.planned import CRASHES, Planned
from clawdcore.testing import VirtualLoop


class Stage:
    """A ledger in memory, and who is called."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.calls: list[Due] = []
        self.ledger = Ledger(None, suspended=lambda reason: None, clock=self.loop.time)
        self.planned = Planned(self.ledger, call=self.calls.append, clock=self.loop.time)
        self.running = asyncio.create_task(self.planned.run())

    async def end(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.ledger.close()


def play(story: Any) -> None:
    async def run() -> None:
        stage = Stage()
        try:
            await story(stage)
        finally:
            await stage.end()

    loop = VirtualLoop()
    try:
        work: Coroutine[Any, Any, None] = run()
        loop.run_until_complete(work)
    finally:
        loop.close()


def test_a_call_comes_when_it_is_due_and_a_rhythm_goes_on() -> None:
    async def story(stage: Stage) -> None:
        stage.planned.attach(1)
        stage.planned.plan(Plan("p", "once", 5, due=10.0))
        stage.planned.plan(Plan("p", "often", due=4.0, every=4.0))
        await asyncio.sleep(5)
        assert [due.name for due in stage.calls] == ["often"]
        stage.planned.called(stage.calls[0].id)
        await asyncio.sleep(5.5)
        assert [due.name for due in stage.calls] == ["often", "often", "once"]
        assert stage.calls[-1].chat == 5
        for due in stage.calls[1:]:
            stage.planned.called(due.id)
        await asyncio.sleep(0)
        assert [plan.name for plan in stage.ledger.plans()] == ["often"]

    play(story)


def test_without_a_worker_calls_wait_for_one() -> None:
    async def story(stage: Stage) -> None:
        stage.planned.plan(Plan("p", "n", due=1.0))
        await asyncio.sleep(50)
        assert stage.calls == []
        stage.planned.attach(1)
        await asyncio.sleep(1)
        assert len(stage.calls) == 1

    play(story)


def test_what_a_dead_worker_held_goes_to_the_next_and_is_left_out_at_last() -> None:
    async def story(stage: Stage) -> None:
        stage.planned.plan(Plan("p", "n", due=1.0, every=1000.0))
        for worker in range(1, CRASHES + 1):
            stage.planned.attach(worker)
            await asyncio.sleep(2)
            assert len(stage.calls) == worker
            stage.planned.attach(0)
            stage.planned.lost(worker, blamed=True)
        stage.planned.attach(9)
        await asyncio.sleep(10)
        assert len(stage.calls) == CRASHES
        await asyncio.sleep(1000)
        assert len(stage.calls) == CRASHES + 1

    play(story)


def test_workers_that_were_killed_don_t_count() -> None:
    async def story(stage: Stage) -> None:
        stage.planned.plan(Plan("p", "n", due=1.0))
        for worker in range(1, 3 * CRASHES):
            stage.planned.attach(worker)
            await asyncio.sleep(2)
            assert len(stage.calls) == worker
            stage.planned.attach(0)
            stage.planned.lost(worker, blamed=False)

    play(story)


def test_a_cancelled_plan_does_not_come() -> None:
    async def story(stage: Stage) -> None:
        stage.planned.attach(1)
        stage.planned.plan(Plan("p", "n", due=5.0))
        stage.planned.plan(Plan("p", "n"))
        await asyncio.sleep(10)
        assert stage.calls == [] and stage.ledger.plans() == []

    play(story)
