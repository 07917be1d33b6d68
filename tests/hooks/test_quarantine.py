"""When a plugin rests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdcore.hooks.quarantine import FAILURES, FIRST_REST, LONGEST_REST, Quarantine


def test_failures_in_a_row_lead_to_rest_and_rest_ends() -> None:
    quarantine = Quarantine()
    assert [quarantine.failed("p", 0.0) for _ in range(FAILURES)][-1] == FIRST_REST
    assert quarantine.rest("p", 0.0) == FIRST_REST
    assert quarantine.rest("p", FIRST_REST) == 0.0
    assert quarantine.rest("other", 0.0) == 0.0


def test_a_success_between_starts_the_count_again() -> None:
    quarantine = Quarantine()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            assert quarantine.failed("p", 0.0) == 0.0
        assert quarantine.succeeded("p") is False


def test_after_a_rest_one_failure_doubles_it_and_one_success_ends_it() -> None:
    quarantine = Quarantine()
    for _ in range(FAILURES):
        quarantine.failed("p", 0.0)
    assert quarantine.failed("p", 100.0) == 2 * FIRST_REST
    assert quarantine.succeeded("p") is True
    assert quarantine.rest("p", 100.0) == 0.0
    assert quarantine.failed("p", 200.0) == 0.0


@given(st.lists(st.booleans(), max_size=60))
def test_rest_is_bounded_and_never_negative(steps: list[bool]) -> None:
    quarantine = Quarantine()
    for now, fails in enumerate(steps):
        if fails:
            quarantine.failed("p", float(now))
        else:
            quarantine.succeeded("p")
        assert 0.0 <= quarantine.rest("p", float(now)) <= LONGEST_REST


def test_how_many_failures_and_how_long_a_rest_can_be_set() -> None:
    quarantine = Quarantine(failures=2, by_plugin={"frail": 1}, first=10.0, longest=25.0)
    assert quarantine.failed("frail", 0.0) == 10.0
    assert [quarantine.failed("p", 0.0) for _ in range(4)] == [0.0, 10.0, 20.0, 25.0]
