from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_llamacpp.rates import FLOOR, Rates


def test_nothing_is_known_before_any_token() -> None:
    rates = Rates()
    assert rates.tokens_per_second(5.0) is None
    rates.runs(5.0, 1)
    assert rates.tokens_per_second(9.0) is None


def test_only_the_time_in_which_it_works_counts() -> None:
    rates = Rates()
    rates.runs(0.0, 1)
    for second in range(1, 11):
        rates.generated(float(second), 20)
    rates.runs(10.0, 0)
    busy = rates.tokens_per_second(10.0)
    assert busy == pytest.approx(20, rel=0.15)
    assert rates.tokens_per_second(5000.0) == busy


def test_a_change_of_speed_shows() -> None:
    rates = Rates()
    rates.runs(0.0, 1)
    for second in range(1, 61):
        rates.generated(float(second), 40)
    for second in range(61, 181):
        rates.generated(float(second), 10)
    assert rates.tokens_per_second(180.0) == pytest.approx(10, rel=0.3)


def test_the_wait_is_the_mean_duration_times_the_rounds_ahead() -> None:
    rates = Rates()
    rates.finished(8.0)
    assert rates.seconds_until(0.0, 4, 2) == pytest.approx(16.0)
    assert rates.seconds_until(0.0, 1, 8) == FLOOR


def test_before_anything_has_finished_the_running_ones_tell() -> None:
    rates = Rates()
    assert rates.seconds_until(100.0, 3, 1) == FLOOR
    rates.runs(100.0, 1)
    assert rates.seconds_until(130.0, 2, 1) == pytest.approx(60.0)


@given(st.lists(st.floats(0.01, 1000), min_size=1), st.integers(1, 100), st.integers(1, 16))
def test_the_estimate_stays_within_what_was_seen(
    durations: list[float], ahead: int, slots: int
) -> None:
    rates = Rates()
    for seconds in durations:
        rates.finished(seconds)
    told = rates.seconds_until(0.0, ahead, slots)
    rounds = ahead / slots
    assert told >= FLOOR
    assert told <= max(FLOOR, max(durations) * rounds * 1.0001)
    assert told >= min(durations) * rounds * 0.9999
