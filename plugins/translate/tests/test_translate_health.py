from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.engines.health import FIRST_REST, LONGEST_REST, LONGEST_TOLD, Health


def test_an_engine_rests_longer_after_each_failure_in_a_row() -> None:
    health, now, rests = Health(), 0.0, []
    for _ in range(4):
        health.failed("a", now)
        rests.append(health.rest("a", now))
        now += rests[-1]
    assert rests == [5.0, 10.0, 20.0, 40.0]
    assert health.rest("a", now) == 0 and health.rest("b", now) == 0


def test_failures_while_it_rests_count_once() -> None:
    health = Health()
    for _ in range(50):
        health.failed("a", 0.0)
    assert health.rest("a", 0.0) == FIRST_REST


def test_one_success_forgives() -> None:
    health = Health()
    health.failed("a", 0.0)
    health.failed("a", 5.0)
    health.succeeded("a")
    assert health.rest("a", 5.0) == 0
    health.failed("a", 6.0)
    assert health.rest("a", 6.0) == FIRST_REST


def test_the_shortest_rest_is_told() -> None:
    health = Health()
    health.failed("a", 0.0)
    health.failed("b", 3.0)
    assert health.shortest(["a", "b"], 3.0) == 2.0
    assert health.shortest([], 3.0) == 0.0


@given(st.lists(st.floats(0, 1e4), max_size=60))
def test_no_rest_is_longer_than_the_bound(pauses: list[float]) -> None:
    health, now = Health(), 0.0
    for pause in pauses:
        health.failed("a", now)
        assert 0 < health.rest("a", now) <= LONGEST_REST
        now += pause


def test_the_rest_that_a_server_asks_for_is_kept_and_bounded() -> None:
    health = Health()
    assert health.failed("a", 0.0, 90.0)
    assert health.rest("a", 0.0) == health.told("a", 0.0) == 90.0
    assert health.rest("a", 90.0) == 0
    health.failed("b", 0.0, 1e9)
    assert health.rest("b", 0.0) == LONGEST_TOLD


def test_an_answer_to_an_earlier_question_does_not_end_a_rest_that_was_asked_for() -> None:
    health = Health()
    health.failed("a", 0.0, 90.0)
    health.succeeded("a")
    assert health.rest("a", 1.0) == 89.0


def test_a_longer_rest_that_is_asked_for_while_it_rests_is_kept_a_shorter_is_not() -> None:
    health = Health()
    health.failed("a", 0.0)
    assert not health.failed("a", 1.0, 60.0)
    assert health.rest("a", 1.0) == 60.0
    health.failed("a", 1.0, 10.0)
    assert health.rest("a", 1.0) == 60.0


def test_a_rest_of_no_seconds_is_the_usual_one() -> None:
    health = Health()
    health.failed("a", 0.0, 0.0)
    assert health.rest("a", 0.0) == FIRST_REST and health.told("a", 0.0) == 0
