"""The ladder: down under pressure, up after relief, no swinging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.admission.ladder import DOWN, MARKS, RELIEF, UP, Ladder, Rung, pressure


def stand(ladder: Ladder, pressed: float, seconds: float, start: float) -> float:
    """Look every half second for so long; returns when that was over."""
    steps = int(seconds * 2)
    for step in range(steps + 1):
        ladder.press(pressed, start + step / 2)
    return start + steps / 2


def test_full_pressure_goes_down_a_rung_at_a_time_to_the_last() -> None:
    ladder = Ladder()
    seen = [ladder.press(1.0, second) for second in range(40)]
    assert seen == sorted(seen)
    assert set(seen) == set(Rung)
    assert seen[-1] is Rung.DIRECT_ONLY
    assert seen.index(Rung.WHOLE_ANSWERS) == DOWN


def test_it_goes_no_further_than_the_pressure_asks_for() -> None:
    ladder = Ladder()
    stand(ladder, 0.6, 100, 0)
    assert ladder.rung is Rung.NO_MEDIA


def test_a_short_burst_changes_nothing() -> None:
    ladder = Ladder()
    now = stand(ladder, 1.0, DOWN - 0.5, 0)
    stand(ladder, 0.0, 100, now + 0.5)
    assert ladder.rung is Rung.NONE


def test_it_comes_back_when_the_relief_lasts() -> None:
    ladder = Ladder()
    now = stand(ladder, 0.3, DOWN, 0)
    assert ladder.rung is Rung.WHOLE_ANSWERS
    now = stand(ladder, 0.0, UP - 0.5, now + 0.5)
    assert ladder.rung is Rung.WHOLE_ANSWERS
    stand(ladder, 0.0, 1.0, now)
    assert ladder.rung is Rung.NONE


def test_between_relief_and_mark_it_stays_where_it_is() -> None:
    ladder = Ladder()
    now = stand(ladder, MARKS[0], DOWN, 0)
    stand(ladder, MARKS[0] - RELIEF + 0.01, 1000, now)
    assert ladder.rung is Rung.WHOLE_ANSWERS


@given(st.lists(st.floats(0, 1), max_size=200))
def test_two_steps_are_never_closer_than_the_shorter_of_the_two_times(looks: list[float]) -> None:
    ladder = Ladder()
    changed = -DOWN
    for second, pressed in enumerate(looks):
        before = ladder.rung
        after = ladder.press(pressed, second)
        assert abs(after - before) <= 1
        if after != before:
            assert second - changed >= DOWN
            changed = second


@pytest.mark.parametrize(
    ("waiting", "wait", "expected"),
    [(0, 0.0, 0.0), (0, 60.0, 0.0), (64, 0.0, 0.5), (1, 15.0, 0.5), (500, 900.0, 1.0)],
)
def test_pressure(waiting: int, wait: float, expected: float) -> None:
    assert pressure(waiting=waiting, bound=128, wait=wait, budget=30.0) == expected
