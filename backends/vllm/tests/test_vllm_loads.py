from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_vllm import loads
from clawdbot_vllm.metrics import Gauges
from clawdbot_vllm.picking import FRESH
from clawdbot_vllm.rates import HALF_LIFE, Ratio, blend
from clawdbot_vllm.servers import Reading, Server, address


def server(**state: object) -> Server:
    made = Server(address=address("http://h:8000/v1", None))
    for name, value in state.items():
        setattr(made, name, value)
    return made


def test_tokens_a_second_are_the_growth_of_the_count() -> None:
    one = server()
    for at in range(5):
        loads.take(one, Gauges(tokens=1000.0 + 50.0 * at, running=1.0), float(at))
    assert loads.load([one], 4.0, most=None).tokens_per_second == pytest.approx(50.0)


def test_idle_time_says_nothing_of_the_speed() -> None:
    one = server()
    loads.take(one, Gauges(tokens=0.0, running=1.0), 0.0)
    loads.take(one, Gauges(tokens=50.0), 1.0)
    for at in range(2, 100):
        loads.take(one, Gauges(tokens=50.0), float(at))
    assert one.speed.value == pytest.approx(50.0)


def test_a_server_that_runs_and_gives_nothing_is_slow() -> None:
    one = server()
    loads.take(one, Gauges(tokens=0.0, running=1.0), 0.0)
    loads.take(one, Gauges(tokens=50.0, running=1.0), 1.0)
    loads.take(one, Gauges(tokens=50.0, running=1.0), 2.0)
    assert one.speed.value is not None
    assert one.speed.value < 30


def test_a_server_started_anew_counts_from_zero() -> None:
    one = server()
    loads.take(one, Gauges(tokens=9000.0, running=1.0), 0.0)
    loads.take(one, Gauges(tokens=10.0, running=1.0), 1.0)
    assert one.speed.value is None
    loads.take(one, Gauges(tokens=40.0, running=1.0), 2.0)
    assert one.speed.value == pytest.approx(30.0)


def test_our_count_and_the_servers_are_never_mixed() -> None:
    one = server(tokens=5)
    loads.take_ours(one, 0.0)
    loads.take(one, Gauges(tokens=1_000_000.0, running=1.0), 1.0)
    assert one.speed.value is None
    loads.take(one, Gauges(tokens=1_000_020.0, running=1.0), 2.0)
    assert one.speed.value == pytest.approx(20.0)


def test_queue_time_is_the_mean_of_late_requests() -> None:
    one, other = server(), server()
    loads.take(one, Gauges(queue_seconds=100.0, queue_count=100.0), 0.0)
    assert loads.load([one], 0.0, most=None).queue_time is None
    loads.take(one, Gauges(queue_seconds=106.0, queue_count=103.0), 1.0)
    loads.take(other, Gauges(), 0.0)
    loads.take(other, Gauges(queue_seconds=0.0, queue_count=3.0), 1.0)
    assert loads.load([one], 1.0, most=None).queue_time == pytest.approx(2.0)
    assert loads.load([one, other], 1.0, most=None).queue_time == pytest.approx(1.0)


def test_the_fullest_cache_counts_and_preemptions_add_up() -> None:
    one, other = server(), server()
    loads.take(one, Gauges(cache_use=0.2, preemptions=3.0), 0.0)
    loads.take(other, Gauges(cache_use=0.9, preemptions=4.0), 0.0)
    load = loads.load([one, other], 0.0, most=8)
    assert (load.cache_use, load.preemptions, load.capacity) == (0.9, 7, 16)


def test_a_server_that_is_out_counts_for_nothing_and_is_shown() -> None:
    one, out = server(in_flight=2), server(up=False, in_flight=1)
    load = loads.load([one, out], 0.0, most=8)
    assert (load.running, load.capacity) == (2, 8)
    assert [(replica.up, replica.running) for replica in load.replicas] == [(True, 2), (False, 1)]


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (5, 5, (8, 4)),  # nothing changed
        (5, 7, (8, 6)),  # two came, and wait
        (5, 3, (8, 2)),  # two are through, and two that waited run
        (8, 2, (6, 0)),  # more are through than waited
    ],
)
def test_a_reading_is_moved_on_by_our_own_requests(
    then: int, now: int, expected: tuple[int, int]
) -> None:
    one = server(in_flight=now, reading=Reading(0.0, Gauges(running=8.0, waiting=4.0), then))
    assert loads.counts(one, 1.0) == expected


def test_an_old_reading_is_forgotten() -> None:
    one = server(in_flight=2, reading=Reading(0.0, Gauges(running=8.0, waiting=4.0), 0))
    assert loads.counts(one, FRESH + 1) == (2, 0)


@given(
    running=st.integers(0, 50),
    waiting=st.integers(0, 50),
    then=st.integers(0, 100),
    now=st.integers(0, 100),
)
def test_counts_are_never_negative_nor_fewer_than_ours(
    running: int, waiting: int, then: int, now: int
) -> None:
    reading = Reading(0.0, Gauges(running=running, waiting=waiting), then)
    counted = loads.counts(server(in_flight=now, reading=reading), 0.0)
    assert min(counted) >= 0
    assert sum(counted) >= now


def test_the_wait_is_what_late_answers_took_over_those_under_way() -> None:
    assert loads.wait(server()) == loads.LEAST_WAIT
    assert loads.wait(server(duration=30.0, in_flight=10)) == pytest.approx(3.0)
    assert loads.wait(server(duration=0.1, in_flight=10)) == loads.LEAST_WAIT
    assert loads.wait(server(duration=1e6)) == loads.MOST_WAIT


def test_a_ratio_forgets() -> None:
    ratio = Ratio()
    assert ratio.value is None
    ratio.add(0.0, 100.0, 1.0)
    ratio.add(HALF_LIFE, 0.0, 1.0)
    assert ratio.value == pytest.approx(50.0 / 1.5)


def test_a_mean_follows_the_newest() -> None:
    mean: float | None = None
    for value in [1.0] * 50 + [3.0] * 50:
        mean = blend(mean, value)
    assert mean == pytest.approx(3.0, rel=0.01)
