"""The numbers of a rehearsal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.cli.rehearse_measure import Result, group_peak, mean, measure, quantile
from clawdcore.cli.rehearse_outcome import Asked, Kind, Outcome

TOTAL = 60.0


def question(due: float = 0.0, *, group: bool = False) -> Asked:
    return Asked(due=due, user=1, chat=-1 if group else 1, message_id=1, group=group)


def result(*pairs: tuple[Asked, Outcome], now: float = 200.0, whole: bool = True) -> Result:
    return measure(
        [asked for asked, _ in pairs],
        [outcome for _, outcome in pairs],
        total=TOTAL,
        sent=len(pairs) + 1,
        now=now,
        seconds=100.0,
        whole=whole,
    )


def test_success_is_what_was_answered_in_time_of_all_that_was_to_be_answered() -> None:
    found = result(
        (question(), Outcome("answered", 2.0)),
        (question(), Outcome("answered", 61.0)),
        (question(), Outcome("refused", 1.0, 30.0)),
        (question(), Outcome("late", 60.0)),
        (question(), Outcome("failed", 60.0)),
    )
    assert found.success == 1 / 5
    assert (found.addressed, found.answered, found.in_time) == (5, 2, 1)
    assert (found.late, found.refused, found.failed, found.lost) == (2, 1, 1, 0)
    assert found.sent == 6


def test_latency_counts_from_when_a_message_should_have_been_sent() -> None:
    found = result(
        (question(10.0), Outcome("answered", 11.0)),
        (question(10.0, group=True), Outcome("answered", 15.0)),
    )
    assert (found.mean, found.p50, found.p99) == (3.0, 1.0, 5.0)
    assert (found.private_mean, found.group_mean) == (1.0, 5.0)


def test_rate_times_latency_are_the_messages_under_way() -> None:
    answered = [(question(), Outcome("answered", 20.0)) for _ in range(10)]
    refused = [(question(), Outcome("refused", 40.0, 5.0)) for _ in range(10)]
    assert result(*answered).in_flight == pytest.approx(10 / 100 * 20)
    assert result(*answered, *refused).in_flight == pytest.approx(20 / 100 * 30)


def test_the_times_that_refusals_named() -> None:
    pairs = [(question(), Outcome("refused", 1.0, eta)) for eta in (30.0, 5.0, 12.0)]
    assert result(*pairs).etas == (5.0, 30.0)
    assert result((question(), Outcome("answered", 1.0))).etas is None


def test_what_got_nothing_is_lost_at_the_end() -> None:
    assert result((question(), Outcome()), now=1.0).lost == 1


def test_when_interrupted_only_what_had_its_time_is_lost() -> None:
    found = result((question(0.0), Outcome()), (question(190.0), Outcome()), whole=False)
    assert (found.lost, found.open, found.addressed) == (1, 1, 1)


def test_without_anything_measured_there_are_no_numbers() -> None:
    found = result()
    assert (found.success, found.mean, found.p99, found.in_flight) == (None, None, None, None)


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0.01, 1.0))
def test_a_quantile_is_a_value_that_enough_others_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_the_p99_of_a_hundred_is_the_ninety_ninth() -> None:
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert quantile([], 0.99) is None
    assert mean([]) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["answered", "refused", "late", "failed", "open"]),
            st.floats(0, 200),
        )
    ),
    st.booleans(),
)
def test_every_message_is_counted_exactly_once(
    given_outcomes: list[tuple[Kind, float]], whole: bool
) -> None:
    pairs = [
        (question(), Outcome(kind, None if kind == "open" else at)) for kind, at in given_outcomes
    ]
    found = result(*pairs, whole=whole)
    fates = found.in_time + found.late + found.refused + found.failed + found.lost
    assert fates == found.addressed
    assert fates + found.open == len(pairs)


def event(at: float, chat: int = -1, kind: str = "sent") -> dict[str, Any]:
    return {"kind": kind, "chat_id": chat, "at": at, "message": {}}


def test_the_busiest_minute_of_any_group() -> None:
    spread = [event(at) for at in (0.0, 30.0, 59.0, 60.0, 100.0)]
    assert group_peak(spread) == 3
    others = [event(1.0, -2), event(2.0, 7), event(2.0, 7), event(3.0, -2, "edit")]
    assert group_peak(others) == 1
    assert group_peak([]) == 0
