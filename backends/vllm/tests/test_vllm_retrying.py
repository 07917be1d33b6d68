from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_vllm.failures import Kind
from clawdbot_vllm.retrying import BURST, RULES, SHARE, Budget, pause


def again(
    kind: Kind,
    tries: int = 1,
    *,
    most: int = 2,
    elsewhere: bool = True,
    left: float | None = None,
    budget: Budget | None = None,
) -> float | None:
    return pause(kind, tries, most=most, elsewhere=elsewhere, left=left, budget=budget or Budget())


@given(steps=st.lists(st.booleans(), max_size=400))
def test_retries_never_exceed_the_budget(steps: list[bool]) -> None:
    budget, requests, retries = Budget(), 0, 0
    for is_request in steps:
        if is_request:
            budget.request()
            requests += 1
        elif budget.take():
            retries += 1
        assert retries <= BURST + SHARE * requests + 1e-6


@given(waste=st.integers(0, 50))
def test_ten_requests_earn_one_retry(waste: int) -> None:
    budget = Budget()
    while budget.take():
        waste += 1
    for _ in range(9):
        budget.request()
    assert not budget.take()
    budget.request()
    assert budget.take()
    assert not budget.take()


@given(
    kind=st.sampled_from(Kind),
    tries=st.integers(1, 5),
    most=st.integers(0, 2),
    elsewhere=st.booleans(),
    left=st.one_of(st.none(), st.floats(-10, 10)),
)
def test_what_always_holds(
    kind: Kind, tries: int, most: int, elsewhere: bool, left: float | None
) -> None:
    wait = again(kind, tries, most=most, elsewhere=elsewhere, left=left)
    if wait is None:
        return
    assert tries <= most
    assert kind in RULES
    assert elsewhere or RULES[kind].same
    assert left is None or wait < left


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.OUT_OF_TIME])
def test_what_another_attempt_cannot_mend_is_not_tried_again(kind: Kind) -> None:
    assert again(kind) is None


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.SLOW, Kind.DEAD])
def test_a_server_in_trouble_is_not_asked_again(kind: Kind) -> None:
    assert again(kind, elsewhere=False) is None
    assert again(kind, elsewhere=True) == 0.0


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.CUT, Kind.BROKEN])
def test_the_same_server_is_asked_again_after_a_growing_pause(kind: Kind) -> None:
    first, second = again(kind, 1, elsewhere=False), again(kind, 2, elsewhere=False)
    assert first is not None and second is not None
    assert 0 < first < second


def test_what_costs_the_servers_nothing_costs_no_budget() -> None:
    budget = Budget()
    for _ in range(100):
        assert again(Kind.UNREACHABLE, budget=budget) is not None
    for _ in range(int(BURST)):
        assert again(Kind.BUSY, budget=budget) is not None
    assert again(Kind.BUSY, budget=budget) is None
    assert again(Kind.CUT, budget=budget) is not None


def test_without_time_left_nothing_is_charged() -> None:
    budget = Budget()
    for _ in range(100):
        assert again(Kind.BUSY, left=0.0, budget=budget) is None
    assert again(Kind.BUSY, budget=budget) == 0.0
