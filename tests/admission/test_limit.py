"""How many may run at once: against a small model of a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.admission.limit import PAUSE, START, LimitControl
from clawdcore.backend import Load, Replica


class Server:
    """Runs so many at once; the rest of what it is given waits inside it."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.preemptions = 0

    def load(self, given: int, **more: object) -> Load:
        running = min(given, self.slots)
        return Load(
            running=running,
            waiting=given - running,
            capacity=0,
            preemptions=self.preemptions,
            **more,  # type: ignore[arg-type]
        )


def converse(
    control: LimitControl, server: Server, seconds: int, *, start: int = 0, demand: int = 10_000
) -> list[int]:
    """A look each second, with as much work as the limit takes."""
    limits = []
    for second in range(start, start + seconds):
        given = min(control.limit, demand)
        limits.append(control.sample(server.load(given), given, float(second)))
    return limits


def test_it_begins_low_and_doubles_up_to_the_ceiling_where_the_server_keeps_up() -> None:
    assert converse(LimitControl(100), Server(1000), 6) == [8, 16, 32, 64, 100, 100]


def test_it_never_begins_above_the_ceiling() -> None:
    control = LimitControl(2)
    assert control.limit == 2 < START


@pytest.mark.parametrize("slots", [6, 20, 48])
def test_it_finds_what_the_server_can_run_from_a_cold_start(slots: int) -> None:
    settled = converse(LimitControl(256), Server(slots), 60)[30:]
    assert all(0.7 * slots <= limit <= 1.3 * slots + 1 for limit in settled)


def test_it_does_not_grow_while_nobody_needs_it() -> None:
    assert set(converse(LimitControl(100), Server(1000), 10, demand=3)) == {START}


def test_it_gives_way_within_a_second_when_a_replica_dies_and_recovers() -> None:
    def load(limit: int, up: int) -> Load:
        replicas = tuple(Replica(name=str(n), up=n < up) for n in range(2))
        running = min(limit, 16 * up)
        return Load(running=running, waiting=limit - running, capacity=0, replicas=replicas)

    control = LimitControl(256)
    for second in range(60):
        control.sample(load(control.limit, 2), control.limit, second)
    assert 22 <= control.limit <= 43
    before = control.limit
    assert control.sample(load(before, 1), before, 60.0) <= before / 2
    for second in range(61, 90):
        control.sample(load(control.limit, 1), control.limit, second)
    assert 11 <= control.limit <= 22
    for second in range(90, 120):
        control.sample(load(control.limit, 2), control.limit, second)
    assert 22 <= control.limit <= 43


def test_a_preemption_a_full_cache_and_a_long_wait_inside_each_make_it_give_way() -> None:
    for sign in (
        Load(running=50, waiting=0, capacity=0, preemptions=1),
        Load(running=50, waiting=0, capacity=0, cache_use=0.97),
        Load(running=50, waiting=1, capacity=0, queue_time=0.6),
    ):
        control = LimitControl(64)
        converse(control, Server(1000), 5)
        assert control.limit == 64
        assert control.sample(sign, 64, 10.0) == 51


def test_it_does_not_give_way_twice_for_the_same_crowd() -> None:
    control = LimitControl(64)
    converse(control, Server(1000), 5)
    crowd = Load(running=40, waiting=24, capacity=0)
    assert control.sample(crowd, 64, 9.0) == 64  # they may have come this moment
    assert control.sample(crowd, 64, 10.0) == 40
    for second in range(20):  # those 24 still wait in there, and nobody is sent after them
        assert control.sample(crowd, 64 - second, 10.0 + PAUSE + second) == 40
    assert control.sample(Load(running=40, waiting=9, capacity=0), 40, 50.0) == 39


def test_a_crowd_of_a_moment_costs_nothing() -> None:
    control = LimitControl(64)
    converse(control, Server(1000), 5)
    crowd = Load(running=12, waiting=20, capacity=0)
    calm = Load(running=40, waiting=0, capacity=0)
    for second in range(10, 20):
        assert control.sample(crowd if second % 2 else calm, 64, float(second)) == 64


def test_it_grows_while_somebody_waits_for_a_seat_that_is_kept_for_others() -> None:
    control = LimitControl(64)
    for second in range(10):  # the lower class gets three quarters of the seats
        load = Load(running=control.limit * 3 // 4, waiting=0, capacity=0)
        control.sample(load, load.running, float(second), held_back=True)
    assert control.limit == 64
    idle = LimitControl(64)
    idle.sample(Load(running=3, waiting=0, capacity=0), 3, 0.0, held_back=False)
    assert idle.limit == START


def test_it_waits_for_what_runs_before_it_judges_again() -> None:
    control = LimitControl(64)
    converse(control, Server(1000), 5)
    full = Load(running=64, waiting=0, capacity=0, cache_use=0.99)
    assert control.sample(full, 64, 10.0) == 51
    assert control.sample(full, 51, 10.0 + PAUSE / 2) == 51
    assert control.sample(full, 51, 10.0 + PAUSE) == 40


def test_a_capacity_that_the_server_names_is_the_top() -> None:
    control = LimitControl(32)
    load = Load(running=4, waiting=0, capacity=6)
    for second in range(10):
        control.sample(load, control.limit, second)
    assert control.limit == 6


def test_a_refusal_of_the_server_makes_it_give_way_once_in_a_while() -> None:
    control = LimitControl(64)
    converse(control, Server(1000), 5)
    assert [control.refused(10.0), control.refused(10.1), control.refused(10.0 + PAUSE)] == [
        51,
        51,
        40,
    ]


loads = st.builds(
    Load,
    running=st.integers(0, 1000),
    waiting=st.integers(0, 1000),
    capacity=st.integers(0, 50),
    cache_use=st.none() | st.floats(0, 1),
    queue_time=st.none() | st.floats(0, 10),
    preemptions=st.integers(0, 10),
    replicas=st.lists(st.booleans(), max_size=3).map(
        lambda up: tuple(Replica(name=str(n), up=each) for n, each in enumerate(up))
    ),
)


@given(st.integers(1, 100), st.lists(st.tuples(loads, st.integers(0, 100)), max_size=30))
def test_whatever_the_server_says_it_stays_between_one_and_the_ceiling(
    ceiling: int, looks: list[tuple[Load, int]]
) -> None:
    control = LimitControl(ceiling)
    for second, (load, in_use) in enumerate(looks):
        assert 1 <= control.sample(load, in_use, float(second)) <= ceiling
