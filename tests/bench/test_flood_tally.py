"""The figures of bench/flood.py."""

from __future__ import annotations

import math
from typing import Any

import pytest
from flood_parts.plan import Call
from flood_parts.tally import Fate, Outcome, figures, jain

from clawdcore.cli.rehearse_measure import quantile


def fate(
    due: float, ended: float, outcome: Outcome = "answered", *, quiet: bool = False, **more: Any
) -> Fate:
    call = Call(due, quiet, "direct", more.pop("chat", 0))
    return Fate(call=call, due=due, outcome=outcome, ended=ended, **more)


def test_everything_is_counted_once() -> None:
    fates = [
        fate(0, 1, quiet=True),
        fate(1, 9, quiet=True),
        fate(2, 3, "refused", eta=5.0),
        fate(3, 4, "failed"),
        fate(4, math.inf, "lost", quiet=True),
        fate(9.25, 9.5, again=True),
    ]
    found = figures(fates, seconds=10.0, within=2.0)
    assert (found.asked, found.answered, found.in_time, found.late) == (5, 2, 1, 1)
    assert (found.refused, found.failed, found.lost) == (1, 1, 1)
    assert found.asked == found.answered + found.refused + found.failed + found.lost
    assert found.mean == pytest.approx(4.5)
    assert (found.quiet_asked, found.quiet_ok) == (3, pytest.approx(1 / 3))
    assert found.quiet_p50 == 8.0
    assert found.quiet_p99 == math.inf, "an answer that never came is in the tail"
    assert (found.came_back, found.eta_kept) == (1, 1.0)


def test_goodput_leaves_out_the_beginning_and_counts_what_came_back() -> None:
    fates = [fate(0, 0.5), fate(4, 5), fate(5, 9), fate(6, 7, again=True), fate(9, 10.5)]
    # Between second 1 and 10: the second, and the one that came back; the third is late.
    assert figures(fates, seconds=10.0, within=2.0).goodput == pytest.approx(2 / 9)


def test_in_flight_is_the_rate_times_the_time() -> None:
    fates = [fate(n * 0.5, n * 0.5 + 2.0) for n in range(200)]
    assert figures(fates, seconds=100.0, within=3.0).in_flight == pytest.approx(4.0, rel=0.03)


def test_of_those_who_came_back_the_refused_count_against_the_promise() -> None:
    fates = [
        fate(1, 2, "refused", eta=2.0),
        fate(5, 6, again=True),
        fate(5, 6, "refused", again=True),
    ]
    assert figures(fates, seconds=10.0, within=2.0).eta_kept == 0.5


def test_nothing_gives_none_and_no_error() -> None:
    found = figures([], seconds=10.0, within=2.0)
    assert (found.mean, found.p99, found.quiet_ok, found.eta_kept) == (None,) * 4


def test_quantiles_are_values_that_occurred() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile(range(1, 101), 0.99) == 99
    assert quantile([], 0.5) is None


def test_jain_is_one_for_equals_and_a_share_for_one_alone() -> None:
    even = [fate(0, 5, tokens=10, chat=chat) for chat in range(4)]
    assert jain(even, begin=0, end=10, chats=4) == pytest.approx(1.0)
    assert jain(even[:1], begin=0, end=10, chats=4) == pytest.approx(0.25)
    assert jain(even, begin=6, end=10, chats=4) == 0.0, "outside the window"
