from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_llamacpp.rates import Rates
from clawdbot_llamacpp.seats import Seats
from clawdcore import BackendUnavailable, Overloaded, Priority

DIRECT, GROUP, CONTROL = Priority.DIRECT, Priority.GROUP, Priority.CONTROL


def seats(slots: int = 1, queue: int = 2, rates: Rates | None = None) -> Seats:
    return Seats(slots, queue, rates=rates or Rates(), clock=lambda: 0.0)


class Guest:
    """Asks for a seat, and leaves it when told."""

    def __init__(
        self, seats: Seats, priority: Priority, log: list[str], name: str = "", deadline: float = 0
    ) -> None:
        self.leave = asyncio.Event()
        self.seated = asyncio.Event()
        self.task = asyncio.create_task(self._sit(seats, priority, log, name, deadline or None))

    async def _sit(
        self,
        seats: Seats,
        priority: Priority,
        log: list[str],
        name: str,
        deadline: float | None,
    ) -> None:
        async with seats.taken(priority, deadline):
            log.append(name)
            self.seated.set()
            await self.leave.wait()


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await story()

    asyncio.run(bounded())


def test_so_many_sit_as_there_are_slots_and_the_rest_wait() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats(slots=2, queue=5)
        guests = [Guest(room, DIRECT, log, str(n)) for n in range(4)]
        await settle()
        assert (log, room.running, room.waiting) == (["0", "1"], 2, 2)
        for guest in guests:
            guest.leave.set()
        await asyncio.gather(*(guest.task for guest in guests))
        assert (log, room.running, room.waiting) == (["0", "1", "2", "3"], 0, 0)

    run(story)


def test_the_most_urgent_goes_first_and_then_the_first_come() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats(queue=5)
        order = [(DIRECT, "first"), (GROUP, "group1"), (GROUP, "group2"), (DIRECT, "direct")]
        guests = [Guest(room, priority, log, name) for priority, name in order]
        guests.append(Guest(room, CONTROL, log, "control"))
        await settle()
        for guest in guests:
            guest.leave.set()
        await asyncio.gather(*(guest.task for guest in guests))
        assert log == ["first", "control", "direct", "group1", "group2"]

    run(story)


def test_a_full_queue_refuses_with_the_measured_wait() -> None:
    async def story() -> None:
        log: list[str] = []
        rates = Rates()
        rates.finished(5.0)
        room = seats(queue=2, rates=rates)
        guests = [Guest(room, DIRECT, log) for _ in range(3)]
        await settle()
        with pytest.raises(Overloaded, match="running: 1, waiting: 2") as caught:
            async with room.taken(DIRECT, None):
                raise AssertionError("it was seated")
        assert caught.value.retry_after == pytest.approx(15.0)
        for guest in guests:
            guest.leave.set()
        await asyncio.gather(*(guest.task for guest in guests))

    run(story)


def test_an_urgent_newcomer_takes_the_place_of_the_last_of_the_least_urgent() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats(queue=2)
        sitting = Guest(room, DIRECT, log, "sitting")
        early, late = Guest(room, GROUP, log, "early"), Guest(room, GROUP, log, "late")
        urgent = Guest(room, DIRECT, log, "urgent")
        await settle()
        assert isinstance(late.task.exception(), Overloaded)
        for guest in (sitting, early, urgent):
            guest.leave.set()
        await asyncio.gather(sitting.task, early.task, urgent.task)
        assert log == ["sitting", "urgent", "early"]

    run(story)


def test_a_newcomer_of_the_same_class_displaces_nobody() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats(queue=1)
        guests = [Guest(room, GROUP, log) for _ in range(3)]
        await settle()
        assert isinstance(guests[2].task.exception(), Overloaded)
        assert room.waiting == 1
        for guest in guests[:2]:
            guest.leave.set()
        await asyncio.gather(*(guest.task for guest in guests[:2]))

    run(story)


def test_without_a_queue_only_the_slots_are_given() -> None:
    async def story() -> None:
        room = seats(queue=0)
        async with room.taken(DIRECT, None):
            with pytest.raises(Overloaded):
                async with room.taken(CONTROL, None):
                    raise AssertionError("it was seated")
        async with room.taken(DIRECT, None):
            assert room.running == 1

    run(story)


def test_a_deadline_that_passes_in_the_queue_is_an_overload() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats()
        sitting = Guest(room, DIRECT, log)
        await settle()
        with pytest.raises(Overloaded, match="deadline passed"):
            async with room.taken(DIRECT, asyncio.get_running_loop().time() - 1):
                raise AssertionError("it was seated")
        assert room.waiting == 0
        sitting.leave.set()
        await sitting.task

    run(story)


def test_who_gives_up_waiting_leaves_no_gap() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats(queue=5)
        sitting, quitter = Guest(room, DIRECT, log, "sitting"), Guest(room, DIRECT, log, "quitter")
        last = Guest(room, DIRECT, log, "last")
        await settle()
        quitter.task.cancel()
        sitting.leave.set()
        last.leave.set()
        await asyncio.gather(sitting.task, last.task)
        assert (log, room.running, room.waiting) == (["sitting", "last"], 0, 0)

    run(story)


def test_who_is_cancelled_in_the_moment_of_its_turn_hands_the_seat_on() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats(queue=5)
        sitting, quitter = Guest(room, DIRECT, log, "sitting"), Guest(room, DIRECT, log, "quitter")
        last = Guest(room, DIRECT, log, "last")
        await settle()
        sitting.leave.set()
        await asyncio.sleep(0)  # the seat is given back, and the quitter's turn is set
        assert room.running == 1
        quitter.task.cancel()
        await last.seated.wait()
        last.leave.set()
        await asyncio.gather(sitting.task, last.task)
        assert (room.running, room.waiting) == (0, 0)

    run(story)


def test_closing_refuses_those_who_wait_and_those_who_come() -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats()
        sitting, waiting = Guest(room, DIRECT, log), Guest(room, DIRECT, log)
        await settle()
        room.close()
        await settle()
        assert isinstance(waiting.task.exception(), BackendUnavailable)
        with pytest.raises(BackendUnavailable):
            async with room.taken(DIRECT, None):
                raise AssertionError("it was seated")
        sitting.leave.set()
        await sitting.task

    run(story)


@given(
    slots=st.integers(1, 3),
    queue=st.integers(0, 4),
    steps=st.lists(st.tuples(st.sampled_from(["come", "leave", "quit"]), st.integers(0, 3))),
)
def test_never_more_sit_than_slots_or_wait_than_the_queue_and_no_seat_is_lost(
    slots: int, queue: int, steps: list[tuple[str, int]]
) -> None:
    async def story() -> None:
        log: list[str] = []
        room = seats(slots, queue)
        guests: list[Guest] = []
        for what, number in steps:
            if what == "come":
                guests.append(Guest(room, Priority(number), log))
            elif guests and what == "leave":
                guests[number % len(guests)].leave.set()
            elif guests:
                guests[number % len(guests)].task.cancel()
            await settle()
            assert room.running <= slots
            assert room.waiting <= queue
            assert room.waiting == 0 or room.running == slots
        for guest in guests:
            guest.leave.set()
        await asyncio.gather(*(guest.task for guest in guests), return_exceptions=True)
        assert (room.running, room.waiting) == (0, 0)

    run(story)
