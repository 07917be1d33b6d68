"""Planned calls: what the edge is asked for, and what a call that is due comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from clawdcore import Call
from clawdcore.broker import Called, Due, Plan, Port, Send, Target, ToEdge, memory_broker
from clawdcore.errors import BackendUnavailable, PluginError
from clawdcore.hooks.quarantine import Quarantine
from clawdcore.messages import PASS, Reply
from clawdcore.testing.clock import VirtualLoop
from clawdcore.worker.failures import Failures
from clawdcore.worker.schedule import EARLY, RUNNING, Schedules
from clawdcore.worker.threads import Threads

NOW = 1000.0


class Worker:
    """Schedules over a broker whose edge end the test holds."""

    def __init__(self) -> None:
        self.edge, self.port = memory_broker()
        self.schedules = Schedules(Threads(), now=lambda: NOW)
        self.schedule = self.schedules.of("p")
        self.failures = Failures(Quarantine(), clock=lambda: 0.0, rested=lambda *_: None)
        self.alive = True

    async def open(self) -> None:
        self.schedules.attach(self.failures, limit=10.0, alive=lambda _: self.alive)
        await self.schedules.open(self.port)

    async def due(self, *dues: Due) -> list[ToEdge]:
        """What the edge gets when these are due."""
        for due in dues:
            self.schedules.take(due)
        await self.schedules.drained()
        return await self.told()

    async def told(self) -> list[ToEdge]:
        self.port.close()
        records: list[ToEdge] = []
        port: Port[Any, ToEdge] = self.edge
        try:
            while True:
                records.append(await port.receive())
        except Exception:  # noqa: BLE001 - the end of the broker
            return records


def run(story: Callable[[Worker], Awaitable[None]]) -> None:
    async def told() -> None:
        worker = Worker()
        await worker.open()
        await story(worker)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(told())


def test_plans_go_to_the_edge_with_names_and_times() -> None:
    async def story(worker: Worker) -> None:
        await worker.schedule.every("a", 60, chat=5)
        await worker.schedule.after("b", 2.5, user=6)
        await worker.schedule.at("c", datetime.fromtimestamp(7, UTC))
        await worker.schedule.at("d", 8)
        await worker.schedule.cancel("a", chat=5)
        assert await worker.told() == [
            Plan("p", "a", 5, 0, NOW + 60, 60.0),
            Plan("p", "b", 0, 6, NOW + 2.5),
            Plan("p", "c", 0, 0, 7.0),
            Plan("p", "d", 0, 0, 8.0),
            Plan("p", "a", 5, 0, None),
        ]

    run(story)


def test_what_was_planned_during_the_start_is_sent_after_it_the_last_of_a_name() -> None:
    async def story() -> None:
        worker = Worker()
        await worker.schedule.after("a", 1)
        await worker.schedule.after("a", 2)
        await worker.open()
        assert await worker.told() == [Plan("p", "a", due=NOW + 2)]

    asyncio.run(story())


def test_the_start_can_not_plan_without_bound() -> None:
    async def story() -> None:
        schedule = Schedules(Threads(), now=lambda: NOW).of("p")
        for chat in range(EARLY):
            await schedule.after("a", 1, chat=chat)
        with pytest.raises(Exception, match="during the start"):
            await schedule.after("b", 1)

    asyncio.run(story())


@pytest.mark.parametrize(
    "plan",
    [
        lambda schedule: schedule.every("a", 0.5),
        lambda schedule: schedule.every("a", float("nan")),
        lambda schedule: schedule.after("a", -1),
        lambda schedule: schedule.after("", 1),
        lambda schedule: schedule.after("n" * 65, 1),
        lambda schedule: schedule.at("a", datetime(2026, 1, 1)),  # noqa: DTZ001 - the point
    ],
)
def test_what_can_not_be_planned_is_refused(plan: Any) -> None:
    async def story(worker: Worker) -> None:
        with pytest.raises(PluginError):
            await plan(worker.schedule)

    run(story)


@pytest.mark.parametrize("plain", [False, True])
def test_a_call_that_is_due_answers_to_its_chat(plain: bool) -> None:
    async def story(worker: Worker) -> None:
        asked: list[Call] = []

        def answer(call: Call) -> str:
            asked.append(call)
            return "time!"

        async def later(call: Call) -> str:
            return answer(call)

        worker.schedule.on("tea")(answer if plain else later)
        target = Target(chat_id=-5, private=False)
        assert await worker.due(Due(1, "p", "tea", -5, 6, 9.0)) == [
            Send(0, target, Reply(text="time!")),
            Called(1),
        ]
        assert asked == [Call("tea", -5, 6, 9.0)]

    run(story)


@pytest.mark.parametrize(("chat", "text"), [(0, "words"), (5, " "), (5, None)])
def test_without_a_chat_or_words_nothing_is_sent(chat: int, text: str | None) -> None:
    async def story(worker: Worker) -> None:
        @worker.schedule.on("tea")
        async def tea(call: Call) -> str | None:
            return text

        assert await worker.due(Due(1, "p", "tea", chat)) == [Called(1)]

    run(story)


@pytest.mark.parametrize("failure", [ValueError(), SystemExit(), PASS, 3])
def test_five_failures_send_the_plugin_to_rest_and_each_call_is_over(failure: Any) -> None:
    async def story(worker: Worker) -> None:
        runs = []

        @worker.schedule.on("tea")
        async def tea(call: Call) -> Any:
            runs.append(call)
            if isinstance(failure, BaseException):
                raise failure
            return failure

        told = await worker.due(*(Due(number, "p", "tea") for number in range(5)))
        assert told == [Called(number) for number in range(5)]
        assert worker.failures.rest("p") > 0
        worker.schedules.take(Due(9, "p", "tea"))
        await worker.schedules.drained()
        assert len(runs) == 5

    run(story)


def test_a_model_that_does_not_answer_is_not_the_plugins_failure() -> None:
    async def story(worker: Worker) -> None:
        @worker.schedule.on("tea")
        async def tea(call: Call) -> None:
            raise BackendUnavailable("no model")

        await worker.due(*(Due(number, "p", "tea") for number in range(9)))
        assert not worker.failures.rest("p")

    run(story)


def test_a_call_that_takes_too_long_is_ended() -> None:
    async def story(worker: Worker) -> None:
        @worker.schedule.on("tea")
        async def tea(call: Call) -> None:
            await asyncio.Event().wait()

        began = asyncio.get_running_loop().time()
        assert await worker.due(Due(1, "p", "tea")) == [Called(1)]
        assert asyncio.get_running_loop().time() - began == 10.0

    run(story)


def test_at_most_sixteen_run_at_once_and_all_of_them_do() -> None:
    async def story(worker: Worker) -> None:
        running = most = 0

        @worker.schedule.on("tea")
        async def tea(call: Call) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(1)
            running -= 1

        told = await worker.due(*(Due(number, "p", "tea") for number in range(40)))
        assert len(told) == 40
        assert most == RUNNING

    run(story)


@pytest.mark.parametrize("alive", [False, True])
def test_a_plan_without_its_plugin_or_function_is_cancelled_and_logged_once(
    alive: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(worker: Worker) -> None:
        worker.alive = alive
        if not alive:
            worker.schedule.on("tea")(lambda call: "never")
        assert await worker.due(Due(1, "p", "tea", 5), Due(2, "p", "tea", 6)) == [
            Plan("p", "tea", 5),
            Called(1),
            Plan("p", "tea", 6),
            Called(2),
        ]

    run(story)
    assert caplog.text.count("cancelled with the plugin p") == 1
