"""Controlled delay: bursts wait, a standing delay is answered by refusals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.admission.codel import SHARE, CoDel

BUDGET = 40.0
TARGET = BUDGET * SHARE
INTERVAL = BUDGET / 2


def refusals(codel: CoDel, waited: float, start: float, seconds: int) -> list[float]:
    """When it refuses, with a start each second that waited so long."""
    times = [start + second for second in range(seconds)]
    return [now for now in times if codel.started(waited, now)]


def test_below_the_target_nobody_is_refused() -> None:
    assert not refusals(CoDel(BUDGET), TARGET - 0.1, 0.0, 1000)


def test_a_burst_may_wait_for_an_interval() -> None:
    assert not refusals(CoDel(BUDGET), BUDGET, 0.0, int(INTERVAL))


def test_a_standing_delay_is_answered_faster_and_faster() -> None:
    times = refusals(CoDel(BUDGET), TARGET + 1, 0.0, 200)
    assert times[0] == INTERVAL
    early, late = len([t for t in times if t < 100]), len([t for t in times if t >= 100])
    assert 0 < early < late


def test_one_that_waited_little_ends_it() -> None:
    codel = CoDel(BUDGET)
    assert refusals(codel, TARGET + 1, 0.0, 100)
    assert not codel.started(TARGET / 2, 100.0)
    assert not refusals(codel, TARGET + 1, 101.0, int(INTERVAL))


def test_an_empty_line_ends_it() -> None:
    codel = CoDel(BUDGET)
    assert refusals(codel, TARGET + 1, 0.0, 100)
    codel.emptied()
    assert not refusals(codel, TARGET + 1, 101.0, int(INTERVAL))


def test_soon_after_it_goes_on_at_nearly_the_rate_that_helped() -> None:
    codel = CoDel(BUDGET)
    refusals(codel, TARGET + 1, 0.0, 200)
    codel.started(0.0, 200.0)
    again = refusals(codel, TARGET + 1, 201.0, 60)
    fresh = refusals(CoDel(BUDGET), TARGET + 1, 201.0, 60)
    assert len(again) > len(fresh)


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30)), max_size=200))
def test_it_refuses_only_after_a_whole_interval_above_the_target(
    starts: list[tuple[float, float]],
) -> None:
    codel = CoDel(BUDGET)
    now = 0.0
    above: float | None = None
    for gap, waited in starts:
        now += gap
        if waited < TARGET:
            above = None
        elif above is None:
            above = now
        if codel.started(waited, now):
            assert above is not None
            assert now - above >= INTERVAL
