"""When those who were refused may come back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.admission.promises import FURTHER, GRACE, MOST, SHARE, SWEEP, Promises

ADA, BEN = ("a", "ada"), ("b", "ben")
FIRST_GAP = 1 / (SHARE - FURTHER)
"""Between the promises of those who hold none, in times of what each takes."""


def test_each_gets_a_time_of_its_own() -> None:
    promises = Promises()
    times = [promises.make((str(n), ""), now=0, wait=10, takes=1) for n in range(4)]
    assert times == [10 + FIRST_GAP * n for n in range(4)]


def test_a_promise_is_kept_once_and_not_before_its_time() -> None:
    promises = Promises()
    assert promises.make(ADA, now=0, wait=10, takes=1) == 10
    assert not promises.redeem(ADA, 9.9)
    assert not promises.redeem(BEN, 10)
    assert promises.redeem(ADA, 10)
    assert not promises.redeem(ADA, 10)
    assert len(promises) == 0


@pytest.mark.parametrize(("wait", "good"), [(10.0, GRACE), (500.0, 500.0)])
def test_it_is_good_for_as_long_as_the_wait_was_at_the_least_a_minute(
    wait: float, good: float
) -> None:
    for after, kept in ((good - 1, True), (good + 1, False)):
        promises = Promises()
        due = promises.make(ADA, now=0, wait=wait, takes=1)
        assert promises.redeem(ADA, due + after) is kept
        assert len(promises) == 0


def test_a_flood_of_one_does_not_put_off_who_is_refused_once() -> None:
    promises = Promises()
    flood = [promises.make(ADA, now=0, wait=10, takes=1) for _ in range(1000)]
    assert flood == sorted(flood)
    assert promises.make(BEN, now=0, wait=10, takes=1) == 10 + FIRST_GAP


def test_nobodys_promises_are_closer_together_than_its_portion() -> None:
    promises = Promises()
    times = [promises.make(ADA, now=0, wait=10, takes=1, chats=20) for _ in range(5)]
    assert all(b - a >= 20 for a, b in pairwise(times))


def test_who_holds_several_must_come_with_what_was_refused() -> None:
    promises = Promises()
    for size in (100, 200):
        promises.make(ADA, now=0, wait=10, takes=1, size=size)
    now = 15.0
    assert not promises.redeem(ADA, now, 300)
    assert not promises.redeem(ADA, now)
    assert promises.redeem(ADA, now, 200)
    assert not promises.redeem(ADA, now, 300)
    assert promises.redeem(ADA, now), "a single one is good for anything"


def test_of_several_an_old_one_is_good_for_anything() -> None:
    promises = Promises()
    for size in (100, 200):
        promises.make(ADA, now=0, wait=10, takes=1, size=size)
    assert promises.redeem(ADA, 10 + GRACE / 2 + 1)


def test_so_many_are_held_at_most_and_those_without_any_have_half_for_themselves() -> None:
    promises = Promises()
    for n in range(MOST):
        promises.make(("greedy", str(n % 3)), now=0, wait=1, takes=0.001)
    assert len(promises) <= MOST // 2 + 1
    for n in range(MOST):
        promises.make((str(n), ""), now=0, wait=1, takes=0.001)
    assert len(promises) == MOST
    assert promises.make(("late", ""), now=0, wait=1, takes=0.001) > 0
    assert len(promises) == MOST


def test_what_nobody_came_for_makes_room_again() -> None:
    promises = Promises()
    for n in range(MOST):
        promises.make((str(n), ""), now=0, wait=1, takes=0.0001)
    much_later = 10_000.0 + SWEEP
    promises.make(ADA, now=much_later, wait=1, takes=0.0001)
    assert len(promises) == 1
    assert promises.redeem(ADA, much_later + 1)


@given(
    st.lists(
        st.tuples(st.floats(0, 5), st.sampled_from("abcdef"), st.floats(0, 20)),
        min_size=1,
        max_size=60,
    )
)
def test_those_who_come_back_take_at_most_their_share(
    refused: list[tuple[float, str, float]],
) -> None:
    promises = Promises()
    now, takes = 0.0, 1.0
    dues = []
    for gap, who, wait in refused:
        now += gap
        told = promises.make((who, ""), now=now, wait=wait, takes=takes)
        assert told >= wait - 1e-9
        dues.append(now + told)
    dues.sort()
    for n, start in enumerate(dues):
        for m in range(n, len(dues)):
            # Both kinds may have one at the edges of any stretch.
            assert (m - n + 1) * takes <= SHARE * (dues[m] - start) + 2 * takes + 1e-6
